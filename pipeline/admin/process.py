"""Where an admin shapes the process: pipelines, stages in their order, checklists, reasons, products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from adminsortable2.admin import SortableAdminBase, SortableAdminMixin, SortableTabularInline
from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.admin.base import ActingAdmin, NamedFields, ReadOnlyAdmin
from crm.rules.errors import RuleError
from pipeline.admin.stage_forms import ArchiveForm, StageForm, StageFormSet
from pipeline.models import (
    ChecklistItem,
    Contract,
    Deal,
    LossReason,
    Pipeline,
    Product,
    Stage,
    StageRule,
    StageVisit,
)
from pipeline.rules.automation.words import described
from pipeline.rules.stages import NothingCouldBeWon, archive_stage, refuse_deletion


class StageInline(NamedFields, SortableTabularInline):
    """A pipeline's stages, dragged into order; the rest of a stage stands on its own page."""

    model = Stage
    formset = StageFormSet
    ordering = ("position",)
    fields = ("name", "name_ru", "slug", "kind", "probability", "rotting_days", "color", "position")
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ("name",)}
    show_change_link = True
    can_delete = False
    extra = 0


@admin.register(Pipeline)
class PipelineAdmin(SortableAdminBase, ActingAdmin):
    """Pipelines and the order of their stages."""

    list_display = ("name", "name_ru", "slug", "is_archived")
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ("name",)}
    filter_horizontal = ("teams", "qualifying_questions")
    fields = ("name", "name_ru", "slug", "teams", "qualifying_questions", "is_archived")
    inlines = (StageInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Save its stages, and say what they lack."""
        super().save_related(request, form, formsets, change)
        warn_without_won(request, form.instance)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """A pipeline with deals is archived; an empty one may go."""
        return obj is None or not Deal.objects.filter(pipeline=obj.pk).exists()


def warn_without_won(request: HttpRequest, pipeline: Pipeline) -> None:
    """Say that no deal of `pipeline` can be won, where it has no stage for that."""
    if not pipeline.is_archived and not pipeline.stages.live().filter(kind=Stage.Kind.WON).exists():
        text = _("“%(pipeline)s” has no stage that means won: no deal of it can be won. Add a stage of the kind “Won”.")
        messages.warning(request, text % {"pipeline": pipeline})


class ChecklistInline(NamedFields, SortableTabularInline):
    """What is to be ticked off in a stage."""

    model = ChecklistItem
    ordering = ("position",)
    extra = 0


class StageRuleInline(NamedFields, SortableTabularInline):
    """What happens by itself in the stage, in its order; each rule has a page of its own."""

    model = StageRule
    ordering = ("position",)
    fields = ("what_it_does", "trigger", "days", "is_active", "position")
    readonly_fields = ("what_it_does", "trigger", "days", "is_active")
    show_change_link = True
    can_delete = False
    extra = 0
    max_num = 0

    @admin.display(description=gettext_lazy("rule"))
    def what_it_does(self, rule: StageRule) -> str:
        """Its actions in a line; its name stands above."""
        return "; ".join(described(action) for action in rule.actions.all()) or "—"


@admin.register(Stage)
class StageAdmin(SortableAdminBase, ActingAdmin):
    """One stage with all it asks for."""

    form = StageForm
    list_display = ("name", "name_ru", "pipeline", "kind", "probability", "rotting_days", "is_archived", "archive_link")
    list_filter = ("pipeline", "kind", "is_archived")
    list_select_related = ("pipeline",)
    inlines = (ChecklistInline, StageRuleInline)
    readonly_fields = ("automation",)

    def get_fields(self, request: HttpRequest, obj: Stage | None = None) -> Any:  # noqa: ARG002
        """A stage that is there leads to its rules and their dry run."""
        return (*StageForm.Meta.fields, "automation") if obj else StageForm.Meta.fields

    @admin.display(description=gettext_lazy("automation"))
    def automation(self, stage: Stage) -> SafeString:
        """Ways to a new rule, and to what the rules of the stage would have done last month."""
        return format_html(
            '<a href="{}?stage={}">{}</a> · <a href="{}">{}</a>',
            reverse("admin:pipeline_stagerule_add"),
            stage.pk,
            _("Add a stage rule"),
            reverse("admin:pipeline_stage_dry_run", args=[stage.pk]),
            _("Dry run of all its rules"),
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Save what it asks for, and say where its pipeline is left without a won stage."""
        super().save_related(request, form, formsets, change)
        warn_without_won(request, form.instance.pipeline)

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:pk>/archive/", self.admin_site.admin_view(self.archive_view), name="pipeline_stage_archive")
        return [own, *super().get_urls()]

    @admin.display(description=gettext_lazy("archive"))
    def archive_link(self, stage: Stage) -> SafeString | str:
        """A link to archiving, while the stage is in use."""
        if stage.is_archived:
            return ""
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:pipeline_stage_archive", args=[stage.pk]), _("Archive…")
        )

    def archive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask where the open deals go, say how many there are, and archive."""
        stage = get_object_or_404(Stage.objects.select_related("pipeline"), pk=pk, is_archived=False)
        form = ArchiveForm(request.POST or None, stage=stage)
        if request.method == "POST" and form.is_valid():
            try:
                moved = archive_stage(stage, to=form.cleaned_data["to"], by=request.user, now=timezone.now())  # type: ignore[arg-type]
            except RuleError as refusal:
                form.add_error(None if isinstance(refusal, NothingCouldBeWon) else "to", refusal.message)
            else:
                said = ngettext(
                    "Stage archived; %(count)d deal moved.", "Stage archived; %(count)d deals moved.", moved
                )
                self.message_user(request, said % {"count": moved}, messages.SUCCESS)
                warn_without_won(request, stage.pipeline)
                return HttpResponseRedirect(reverse("admin:pipeline_stage_changelist"))
        count = Deal.objects.open().filter(stage=stage).count()
        context = {
            **self.admin_site.each_context(request),
            "stage": stage,
            "form": form,
            "count": count,
            "opts": self.opts,
        }
        return TemplateResponse(
            request, "admin/pipeline/stage/archive.html", context, status=422 if form.errors else 200
        )

    def delete_model(self, request: HttpRequest, obj: Stage) -> None:
        """Delete it, and say where its pipeline is left without a won stage."""
        super().delete_model(request, obj)
        warn_without_won(request, obj.pipeline)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Refuse with a sentence where there is history."""
        stage = self.get_object(request, object_id)
        try:
            if stage is not None:
                refuse_deletion(stage)
        except RuleError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:pipeline_stage_change", args=[object_id]))
        return super().delete_view(request, object_id, *args, **kwargs)


@admin.register(LossReason)
class LossReasonAdmin(SortableAdminMixin, ActingAdmin):
    """Why deals are lost, dragged into order."""

    list_display = ("name", "name_ru", "pipeline", "is_archived")
    ordering = ("position",)


@admin.register(Product)
class ProductAdmin(ActingAdmin):
    """What is sold."""

    list_display = ("name", "price", "currency", "is_archived")
    search_fields = ("name",)


@admin.register(Contract)
class ContractAdmin(ActingAdmin):
    """Terms of customers."""

    list_display = ("company", "starts_on", "ends_on", "cancelled_on", "monthly_value", "currency")
    list_select_related = ("company",)
    raw_id_fields = ("company", "deal", "owner")
    search_fields = ("company__name",)
    date_hierarchy = "starts_on"


class VisitInline(admin.TabularInline):
    """A deal's stays: history, which nobody edits."""

    model = StageVisit
    fields = ("stage", "entered_at", "left_at", "direction", "moved_by", "reverted_at")
    readonly_fields = fields
    can_delete = False
    max_num = 0


@admin.register(Deal)
class DealAdmin(ReadOnlyAdmin):
    """To look at: deals move on the board."""

    list_display = ("name", "pipeline", "stage", "outcome", "owner", "amount", "currency")
    list_filter = ("pipeline", "stage", "outcome")
    list_select_related = ("pipeline", "stage", "owner")
    search_fields = ("name",)
    show_full_result_count = False
    inlines = (VisitInline,)
