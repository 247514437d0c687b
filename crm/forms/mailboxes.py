"""What a person says of a mailbox that is to be read, and of where a message belongs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import DayInput, SeenForm
from crm.models import Mailbox, Team, User, subject_models


class MailboxForm(SeenForm):
    """A mailbox; the kept password is never shown, and stays where none is typed."""

    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Google, Microsoft and others want an app password. It is kept encrypted."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Mailbox
        fields = (
            "name", "address", "host", "port", "security", "username", "password", "folder", "sent_folder",
            "reads_from", "keeps_unknown", "team", "takes_copies",
        )  # fmt: skip
        widgets = {"reads_from": DayInput()}

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_new = self.instance.pk is None
        if not self._is_new:
            self.initial["version"] = self.instance.version
            self.fields["password"].help_text = _("Empty: the one that is kept.")
        teams = Team.objects.all() if by.is_admin else Team.objects.filter(leaders=by)
        if not by.is_admin:
            del self.fields["takes_copies"]
        if not by.is_in_charge:
            del self.fields["team"]
        else:
            self.fields["team"].queryset = teams  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A new mailbox needs its password."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self._is_new and not cleaned.get("password"):
            self.add_error("password", _("Enter the password."))
        return cleaned

    def said(self) -> dict[str, Any]:
        """What the rule is given, without the password."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"password", "version"}}


class PlaceForm(forms.Form):
    """Which record a message belongs to: `deal-7`, one of those suggested, or found by its name."""

    place = forms.RegexField(
        r"^[a-z]+-\d{1,18}$", label=_("Record"), error_messages={"required": _("Choose a record.")}
    )

    def clean_place(self) -> tuple[str, int]:
        """Return the kind of record and its id."""
        kind, _dash, pk = self.cleaned_data["place"].partition("-")
        if kind not in subject_models():
            raise forms.ValidationError(_("Choose a record."))
        return kind, int(pk)
