"""A template of e-mails, in both languages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.forms.files import FilesField
from crm.forms.inputs import SeenForm
from crm.forms.rich_text import RichTextField
from crm.models import EmailTemplate
from crm.rules.email_templates import EDITABLE
from crm.rules.errors import RuleError
from crm.rules.merge_fields import check_text


class EmailTemplateForm(SeenForm):
    """Its name, who may use it, what it says in English and in Russian, and the files that go along."""

    version = forms.IntegerField(widget=forms.HiddenInput())
    body = RichTextField(max_length=100_000)
    body_ru = RichTextField(max_length=100_000, required=False, label=_("Text in Russian"))
    files = FilesField(label=_("Add files"))  # type: ignore[assignment]  # Django takes it off the class
    without = forms.TypedMultipleChoiceField(coerce=int, required=False, widget=forms.CheckboxSelectMultiple())

    class Meta:
        model = EmailTemplate
        fields = EDITABLE
        widgets = {
            "subject": forms.TextInput(attrs={"data-merge": True}),
            "subject_ru": forms.TextInput(attrs={"data-merge": True}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["name"].label = pgettext_lazy("template", "Name")
        self.attached = list(self.instance.attachments.all()) if self.instance.pk else []
        choices = [(file.pk, file.name) for file in self.attached]
        self.fields["without"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Say of each text which of its fields does not exist; Russian alone has no text to fall back on."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("subject", "subject_ru", "body", "body_ru"):
            try:
                check_text(cleaned.get(name) or "")
            except RuleError as refusal:
                self.add_error(name, ValidationError(refusal.message, code=refusal.code))
        if cleaned.get("subject_ru") and not cleaned.get("body_ru") and "body_ru" not in self.errors:
            self.add_error("body_ru", ValidationError(_("Write the text in Russian too."), code="half"))
        return cleaned

    @property
    def shows_russian(self) -> bool:
        """Whether the Russian side is the one to show: it was in view, or alone has something wrong."""
        is_wrong = {name: name in self.errors for name in ("subject", "subject_ru", "body", "body_ru")}
        if is_wrong["subject"] or is_wrong["body"]:
            return False
        return is_wrong["subject_ru"] or is_wrong["body_ru"] or self.data.get("shown") == "ru"

    def said(self) -> dict[str, Any]:
        """What the rule is given."""
        return {name: self.cleaned_data[name] for name in EDITABLE}

    def seen_again(self, version: int) -> None:
        """Let the next saving overwrite what was shown."""
        self.data = self.data.copy()  # type: ignore[attr-defined]
        self.data["version"] = str(version)  # type: ignore[index]
