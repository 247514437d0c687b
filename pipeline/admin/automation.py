"""Where an admin says what happens by itself in a stage, sees what would have happened, and what did."""

from __future__ import annotations

from typing import Any

from adminsortable2.admin import SortableAdminBase, SortableTabularInline
from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.admin.base import ActingAdmin, NamedFields, ReadOnlyAdmin, person_acting
from pipeline.forms.stage_actions import StageActionForm
from pipeline.models import FollowUpList, ListedFollowUp, RuleFiring, Stage, StageAction, StageRule
from pipeline.rules.automation.keeping import note_in_force, switch_rule
from pipeline.rules.automation.kinds import all_kinds
from pipeline.rules.automation.rehearsing import month_before, rehearse
from pipeline.rules.automation.words import described, sentence_of

ADD = "add_action"
"""The query and the button that ask for one more action of a kind."""


class ListedFollowUpInline(NamedFields, SortableTabularInline):
    """What a list holds, dragged into order."""

    model = ListedFollowUp
    ordering = ("position",)
    fields = ("name", "name_ru", "kind", "after_days", "at_time", "position")
    extra = 1


@admin.register(FollowUpList)
class FollowUpListAdmin(SortableAdminBase, ActingAdmin):
    """Lists of follow-ups that stage rules give."""

    list_display = ("name", "name_ru", "count")
    search_fields = ("name", "name_ru")
    inlines = (ListedFollowUpInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(item_count=Count("items"))

    @admin.display(description=gettext_lazy("follow-ups"))
    def count(self, given: Any) -> int:
        """How many follow-ups it gives."""
        return int(given.item_count)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """A list that a rule gives stays."""
        actions = StageAction.objects.filter(kind="follow_ups")
        return obj is None or not actions.filter(parameters__list=obj.pk).exists()


class StageRuleForm(forms.ModelForm):
    """A rule; since when it is in force follows from it."""

    class Meta:
        model = StageRule
        fields = (
            "stage", "name", "name_ru", "trigger", "days", "is_active",
            "least_amount", "sources", "teams", "tag", "is_unplanned",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Days are those of staying, and of nothing else."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_staying = cleaned.get("trigger") == StageRule.Trigger.STAYING
        if is_staying and not cleaned.get("days") and "days" not in self.errors:
            self.add_error("days", _("Say after how many days."))
        if not is_staying:
            cleaned["days"] = None
        return cleaned

    def _post_clean(self) -> None:
        """The database wants to know since when, and so does its constraint as the form checks it."""
        for name in ("is_active", "trigger", "days"):
            setattr(self.instance, name, self.cleaned_data.get(name))
        if self.instance.trigger:
            note_in_force(self.instance, now=timezone.now())
        super()._post_clean()  # type: ignore[misc]


class ActionFormSet(BaseInlineFormSet):
    """A rule's actions, and one new one of the kind that was asked for."""

    asked_for = ""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        if index is not None and index >= self.initial_form_count() and self.asked_for:
            kwargs["initial"] = {"kind": self.asked_for, "position": self.initial_form_count() + 1}
        return kwargs


class StageActionInline(admin.StackedInline):
    """What a rule does: each action with the fields of its kind. Buttons save the rule and add one more."""

    model = StageAction
    form = StageActionForm
    formset = ActionFormSet
    template = "admin/pipeline/stagerule/rule_actions.html"  # Django means a list's actions by actions.html
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.asked_for = request.GET.get(ADD, "") if request.GET.get(ADD) in all_kinds() else ""
        formset.kinds = list(all_kinds().values())
        return formset

    def get_extra(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> int:  # noqa: ARG002
        return 1 if request.GET.get(ADD) in all_kinds() else 0


@admin.register(StageRule)
class StageRuleAdmin(ActingAdmin):
    """Stage rules: when, for which deals, and what is done."""

    form = StageRuleForm
    change_form_template = "admin/pipeline/stagerule/change_form.html"
    list_display = ("name", "stage", "trigger", "days", "does", "fired", "is_active", "dry_run_link")
    list_filter = ("is_active", "trigger", "stage")
    list_select_related = ("stage__pipeline",)
    formfield_overrides = {models.ManyToManyField: {"widget": forms.CheckboxSelectMultiple}}
    inlines = (StageActionInline,)
    actions = ("switch_on", "switch_off")
    fieldsets = (
        (None, {"fields": ("stage", "name", "name_ru", "trigger", "days", "is_active")}),
        (
            gettext_lazy("Which deals"),
            {
                "fields": ("least_amount", "sources", "teams", "tag", "is_unplanned"),
                "description": gettext_lazy("Deals that meet all of it; what is left empty is met by every deal."),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rules = super().get_queryset(request).prefetch_related("actions")
        return rules.annotate(fired_count=Count("firings", distinct=True))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/dry-run/", view(self.dry_run), name="pipeline_stagerule_dry_run"),
            path("of-stage/<int:pk>/dry-run/", view(self.dry_run_of_stage), name="pipeline_stage_dry_run"),
            *super().get_urls(),
        ]

    def dry_run(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what one rule would have done last month."""
        rule = get_object_or_404(StageRule.objects.select_related("stage__pipeline"), pk=pk)
        return self._rehearsal(request, rule.stage, [rule])

    def dry_run_of_stage(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what each rule of a stage would have done last month."""
        stage = get_object_or_404(Stage.objects.select_related("pipeline"), pk=pk)
        return self._rehearsal(request, stage, list(stage.rules.select_related("stage__pipeline")))

    def _rehearsal(self, request: HttpRequest, stage: Stage, rules: list[StageRule]) -> HttpResponse:
        start, end = month_before(timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": _("Dry run"),
            "opts": self.opts,
            "stage": stage,
            "start": start,
            "rehearsals": [rehearse(rule, start=start, end=end) for rule in rules],
        }
        return TemplateResponse(request, "admin/pipeline/stagerule/dry_run.html", context)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """A button that adds an action has saved the rule, and shows the new action's fields."""
        return self._one_more(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """See `response_add`."""
        return self._one_more(request, obj) or super().response_change(request, obj)

    def _one_more(self, request: HttpRequest, rule: StageRule) -> HttpResponse | None:
        kind = request.POST.get(ADD)
        if kind not in all_kinds():
            return None
        url = reverse("admin:pipeline_stagerule_change", args=[rule.pk])
        return HttpResponseRedirect(f"{url}?{ADD}={kind}#actions-new")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """A rule that has fired is part of deals' history: it is switched off."""
        return not isinstance(obj, StageRule) or not obj.firings.exists()

    @admin.display(description=gettext_lazy("what it does"))
    def does(self, rule: StageRule) -> str:
        """Its actions in a line."""
        return "; ".join(described(action) for action in rule.actions.all()) or "—"

    @admin.display(description=gettext_lazy("fired"))
    def fired(self, rule: Any) -> SafeString | str:
        """How often it has come true, with a link to when."""
        if not rule.fired_count:
            return "0"
        url = reverse("admin:pipeline_rulefiring_changelist")
        return format_html('<a href="{}?rule__id__exact={}">{}</a>', url, rule.pk, rule.fired_count)

    @admin.display(description=gettext_lazy("dry run"))
    def dry_run_link(self, rule: StageRule) -> SafeString:
        """A link to what it would have done."""
        url = reverse("admin:pipeline_stagerule_dry_run", args=[rule.pk])
        return format_html('<a href="{}">{}</a>', url, _("Last month"))

    @admin.action(description=gettext_lazy("Switch on"))
    def switch_on(self, request: HttpRequest, rules: QuerySet[StageRule]) -> None:
        """Put rules in force."""
        self._switch(request, rules, is_on=True)

    @admin.action(description=gettext_lazy("Switch off"))
    def switch_off(self, request: HttpRequest, rules: QuerySet[StageRule]) -> None:
        """Put rules out of force."""
        self._switch(request, rules, is_on=False)

    def _switch(self, request: HttpRequest, rules: QuerySet[StageRule], *, is_on: bool) -> None:
        by, now = person_acting(request), timezone.now()
        count = sum(switch_rule(rule, is_on=is_on, by=by, now=now) for rule in rules)  # type: ignore[arg-type]
        said = ngettext("%(count)d rule was switched.", "%(count)d rules were switched.", count)
        self.message_user(request, said % {"count": count}, messages.SUCCESS)


@admin.register(RuleFiring)
class RuleFiringAdmin(ReadOnlyAdmin):
    """What stage rules did, and why they did not."""

    list_display = ("at", "rule", "deal", "state", "what_came_of_it", "depth", "finished_at")
    list_filter = ("state", ("rule", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("rule", "deal")
    fields = ("rule", "deal", "visit", "state", "what_came_of_it", "error", "depth", "at", "due_at", "finished_at")
    readonly_fields = ("what_came_of_it",)
    raw_id_fields = ("deal", "visit")
    date_hierarchy = "at"
    show_full_result_count = False

    @admin.display(description=gettext_lazy("what came of it"))
    def what_came_of_it(self, firing: RuleFiring) -> str:
        """Each action, and why one was not done."""
        return sentence_of(firing)
