"""Where an admin builds lead forms, and finds what to put into a site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from adminsortable2.admin import CustomInlineFormSet, SortableAdminBase, SortableTabularInline
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.admin.base import ActingAdmin, NamedFields, ReadOnlyAdmin
from crm.models import ConsentText, LeadForm, LeadFormField
from crm.models.lead_forms import validate_origin
from crm.rules.capturing import publish_consent


class Lines(forms.Textarea):
    """One value a line."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:  # noqa: ARG002 (Django's signature)
        """Read lines as people leave them: some empty, some with spaces, some ending in a slash."""
        text = str(data.get(name) or "")
        return "\n".join(line.strip().rstrip("/").lower() for line in text.splitlines() if line.strip())


class LeadFormForm(forms.ModelForm):
    """A lead form; its sites one a line."""

    sites = SimpleArrayField(
        forms.CharField(max_length=200, validators=[validate_origin]),
        delimiter="\n",
        required=False,
        widget=Lines(attrs={"rows": 3}),
        label=capfirst(gettext_lazy("sites the form stands on")),
        help_text=LeadForm._meta.get_field("sites").help_text,
    )

    redirect_url = forms.URLField(
        max_length=200,
        required=False,
        assume_scheme="https",
        label=capfirst(gettext_lazy("thank-you page of your own")),
        help_text=LeadForm._meta.get_field("redirect_url").help_text,
    )

    class Meta:
        model = LeadForm
        fields = "__all__"  # noqa: DJ007 (the admin's fieldsets name them)


STARTING_FIELDS = (
    {"label": "Name", "label_ru": "Имя", "key": "name", "maps_to": "name", "is_required": True},
    {"label": "E-mail", "label_ru": "E-mail", "key": "email", "kind": "email", "maps_to": "email", "is_required": True},
    {"label": "Phone", "label_ru": "Телефон", "key": "phone", "kind": "phone", "maps_to": "phone"},
    {"label": "How can we help?", "label_ru": "Чем помочь?", "key": "message", "kind": "long", "maps_to": "message"},
)
"""What a new form asks until an admin says otherwise, in the words of each language."""
REACHED_BY = {LeadFormField.MapsTo.NAME, LeadFormField.MapsTo.EMAIL, LeadFormField.MapsTo.PHONE}


class LeadFormFieldFormSet(CustomInlineFormSet):
    """A form's fields; one that asks for nobody's name, e-mail or phone would bring in nobody."""

    def clean(self) -> None:
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and not form.cleaned_data.get("DELETE")]
        is_active = getattr(self.instance, "is_active", False)
        is_reached = any(said.get("maps_to") in REACHED_BY for said in kept)
        if is_active and not is_reached and all(form.is_valid() for form in self.forms):
            raise ValidationError(_("Ask for a name, an e-mail or a phone: else nobody knows whose lead it is."))


class LeadFormFieldInline(NamedFields, SortableTabularInline):
    """A form's fields, dragged into order."""

    model = LeadFormField
    formset = LeadFormFieldFormSet
    ordering = ("position",)
    fields = ("label", "label_ru", "key", "kind", "is_required", "maps_to", "choices", "position")
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"key": ("label",)}

    def get_extra(self, request: HttpRequest, obj: Model | None = None, **_options: Any) -> int:  # noqa: ARG002
        """A new form begins with the usual fields."""
        return 0 if obj else len(STARTING_FIELDS)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Choices are written one a line, in a row of the table."""
        if db_field.name == "choices":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 2, "cols": 18})
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in {"label", "label_ru", "key"} and field is not None:
            field.widget.attrs["size"] = 14
        return field


@admin.register(LeadForm)
class LeadFormAdmin(SortableAdminBase, ActingAdmin):
    """Lead forms: what they ask, whose the leads are, where they stand. One with submissions is switched off."""

    form = LeadFormForm
    formfield_overrides = {models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 80})}}
    list_display = ("name", "name_ru", "slug", "source", "owner_rule", "is_active", "open_link")
    list_filter = ("is_active", "source")
    list_select_related = ("source",)
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ("name",)}
    readonly_fields = ("in_a_site", "consent_versions")
    inlines = (LeadFormFieldInline,)
    fieldsets = (
        (None, {"fields": ("name", "name_ru", "slug", "is_active", "languages", "intro", "intro_ru")}),
        (gettext_lazy("Leads"), {"fields": ("source", "campaign", "owner_rule", "owner", "team")}),
        (gettext_lazy("Consent"), {"fields": ("consent", "consent_ru", "consent_versions")}),
        (gettext_lazy("Afterwards"), {
            "fields": (
                "thanks", "thanks_ru", "redirect_url", "reply_subject", "reply_subject_ru", "reply", "reply_ru",
            ),
        }),
        (gettext_lazy("In a site"), {"fields": ("sites", "in_a_site")}),
        (gettext_lazy("Against spam"), {"fields": ("least_seconds", "most_by_address", "most_an_hour")}),
    )  # fmt: skip

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Fill in what a new form begins with; what is then sent counts as written by the admin."""
        options: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if not obj.pk and request.method == "GET":
            options["initial"] = [dict(field) for field in STARTING_FIELDS]
        return options

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """The consent in force is published with the form that asks for it."""
        super().save_related(request, form, formsets, change)
        publish_consent(form.instance, now=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """A form that brought something in, or had something agreed to, stays: it is switched off."""
        if not isinstance(obj, LeadForm):
            return True
        return not (obj.submissions.exists() or obj.consents.exists())

    @admin.display(description=gettext_lazy("page"))
    def open_link(self, form: LeadForm) -> SafeString:
        """A link to the form's public page."""
        return format_html('<a href="{}">{}</a>', reverse("lead_form", args=[form.slug]), _("Open"))

    @admin.display(description=gettext_lazy("versions of the consent"))
    def consent_versions(self, form: LeadForm) -> SafeString | str:
        """Every text that visitors were ever asked to agree to."""
        versions = form.consents.all() if form.pk else ConsentText.objects.none()
        lines = (
            (text.number, date_format(timezone.localtime(text.since), "DATETIME_FORMAT"), text.text or text.text_ru)
            for text in versions
        )
        return format_html_join("", "<p><b>{}</b> · {} · {}</p>", lines) or "—"

    @admin.display(description=gettext_lazy("what to put there"))
    def in_a_site(self, form: LeadForm) -> SafeString | str:
        """The form's addresses and snippets, each with what a site's content policy must allow for it."""
        if not form.pk:
            return _("Save the form first.")
        return format_html_join("", "<p>{}<br><code>{}</code></p><pre>{}</pre>", self._ways(form))

    def _ways(self, form: LeadForm) -> list[tuple[str, str, str]]:
        base = settings.PUBLIC_BASE_URL
        page, embed, api = (
            base + reverse(name, args=[form.slug]) for name in ("lead_form", "lead_form_embed", "lead_form_api")
        )
        script = base + reverse("lead_form_script")
        names = [field.key for field in form.fields.all()]
        inputs = "".join(f'\n  <input name="{name}">' for name in names)
        return [
            (_("A page of its own"), "", page),
            (
                _("A frame, without script. The site's policy must allow:"),
                f"frame-src {base}",
                f'<iframe src="{embed}" title="{escape(form.name)}" width="100%" height="480"></iframe>',
            ),
            (
                _("A frame as high as the form, with UTM parameters. The site's policy must allow:"),
                f"script-src {base}; frame-src {base}",
                f'<div data-voronka-form="{form.slug}"></div>\n<script src="{script}" async></script>',
            ),
            (
                _("A form of your own: it leads to ours, filled in, to be sent from there. The policy must allow:"),
                f"form-action {base}",
                f'<form method="post" action="{page}">{inputs}\n  <button>{_("Send")}</button>\n</form>',
            ),
            (
                _("For programs: GET gives fields and a token, POST takes JSON with it. The policy must allow:"),
                f"connect-src {base}",
                api,
            ),
        ]


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    """What visitors agreed to, version by version; nobody alters it."""

    list_display = ("form", "number", "since", "text")
    list_filter = ("form",)
    list_select_related = ("form",)
