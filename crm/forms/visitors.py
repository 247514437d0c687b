"""A lead form as its visitors meet it: its fields, what came along with them, and whether a program filled it in."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import DayInput
from crm.models import ConsentText, LeadForm, LeadFormField, Submission
from crm.rules.capturing import Visit

SALT = "crm.lead-form"
TOKEN_LASTS = dt.timedelta(hours=24)
UTM = ("source", "medium", "campaign", "term", "content")
LONGEST_UTM, LONGEST_ADDRESS = 200, 500
HONEYPOT = "website_address"
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of text: no name or answer needs them, and what stands after them reads wrongly."""
FEWEST_DIGITS = 5


def new_token(
    form: LeadForm, consent: ConsentText | None, *, now: dt.datetime, least_seconds: int | None = None
) -> str:
    """Sign when a form was shown and with which consent text; `least_seconds` may be fewer than the form's."""
    least = form.least_seconds if least_seconds is None else least_seconds
    shown = {"form": form.pk, "consent": consent.pk if consent else None, "at": now.timestamp(), "least": least}
    return signing.dumps(shown, salt=SALT)


def read_token(form: LeadForm, token: str, *, now: dt.datetime) -> dict[str, Any] | None:
    """Return what was signed, or None where it is not ours, of another form, or a day old."""
    try:
        shown: dict[str, Any] = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    age = now.timestamp() - float(shown["at"])
    return shown if shown["form"] == form.pk and -60 <= age <= TOKEN_LASTS.total_seconds() else None


def tidied(text: str, longest: int) -> str:
    """Return what came along unasked without control characters, cut to `longest`: no reason to turn anybody away."""
    return "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")[:longest].strip()


class PlainField(forms.CharField):
    """Text without marks that turn its direction; NUL and what is too long are refused beside the field."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return BIDI.sub("", text).strip() if isinstance(text, str) else text


class NameField(PlainField):
    """The name of a person or company: it stands in notices and lists, so it is no place for an address of a page."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and re.search(r"[\r\n]|://|www\.", value, re.IGNORECASE):
            raise ValidationError(_("Enter a name alone, without links."), code="link")


class PhoneField(PlainField):
    """A phone number as people write it."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and (not re.fullmatch(r"[\d\s()+./x-]+", value) or len(re.sub(r"\D", "", value)) < FEWEST_DIGITS):
            raise ValidationError(_("Enter a phone number, such as +371 2000 0000."), code="phone")


def _text(asked: LeadFormField, **options: Any) -> forms.Field:
    kind = NameField if asked.maps_to in AUTOCOMPLETE else PlainField
    return kind(max_length=200, **options)


def _long(_asked: LeadFormField, **options: Any) -> forms.Field:
    return PlainField(max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}), **options)


def _email(_asked: LeadFormField, **options: Any) -> forms.Field:
    return forms.EmailField(max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}), **options)


def _phone(_asked: LeadFormField, **options: Any) -> forms.Field:
    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"})
    return PhoneField(max_length=40, widget=widget, **options)


def _number(_asked: LeadFormField, **options: Any) -> forms.Field:
    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    return forms.DecimalField(max_digits=20, decimal_places=4, widget=widget, localize=False, **options)


def _day(_asked: LeadFormField, **options: Any) -> forms.Field:
    return forms.DateField(widget=DayInput(), **options)


def _choice(asked: LeadFormField, **options: Any) -> forms.Field:
    return forms.ChoiceField(choices=[("", _("Choose")), *asked.options], **options)


def _tick(_asked: LeadFormField, **options: Any) -> forms.Field:
    return forms.BooleanField(**options)


KINDS: dict[str, Callable[..., forms.Field]] = {
    LeadFormField.Kind.TEXT: _text,
    LeadFormField.Kind.LONG: _long,
    LeadFormField.Kind.EMAIL: _email,
    LeadFormField.Kind.PHONE: _phone,
    LeadFormField.Kind.NUMBER: _number,
    LeadFormField.Kind.DATE: _day,
    LeadFormField.Kind.CHOICE: _choice,
    LeadFormField.Kind.TICK: _tick,
}
"""Kind of a field → what makes it."""
AUTOCOMPLETE = {"name": "name", "company_name": "organization"}


class VisitorForm(forms.Form):
    """One form as shown to a visitor in the language being spoken; `consent` is the text in force."""

    token = forms.CharField(widget=forms.HiddenInput, required=False)
    website_address = forms.CharField(required=False, label=_("Leave this empty"))

    def __init__(
        self, sent: Any = None, *, form: LeadForm, consent: ConsentText | None, now: dt.datetime, **options: Any
    ) -> None:
        options.setdefault("label_suffix", "")
        options.setdefault("use_required_attribute", True)
        super().__init__(sent, **options)
        self.lead_form, self.consent, self.now = form, consent, now
        self.asked = list(form.fields.all())
        for asked in self.asked:
            self.fields[asked.key] = self._field(asked)
        if consent is not None:
            message = _("We can only take this with your consent.")
            self.fields["consent"] = forms.BooleanField(label=str(consent), error_messages={"required": message})
        for name in ("referrer", "page", *(f"utm_{part}" for part in UTM)):
            self.fields[name] = forms.CharField(widget=forms.HiddenInput, required=False, validators=[])
            self.fields[name].validators.clear()
        self.fields[HONEYPOT].widget.attrs |= {"tabindex": "-1", "autocomplete": "off"}

    def clean(self) -> dict[str, Any]:
        """Something is to be said."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(answer["value"] for answer in self._answers(cleaned)):
            raise ValidationError(_("Fill in at least one field."), code="empty")
        return cleaned

    @cached_property
    def shown(self) -> dict[str, Any] | None:
        """What the token says of when the form was shown; None without a good one: then it is shown once more."""
        return read_token(self.lead_form, str(self.data.get("token") or ""), now=self.now)

    @property
    def suspicion(self) -> str:
        """Why it looks as if a program filled it in; "" where it does not."""
        if self.data.get(HONEYPOT):
            return Submission.Reason.TRAP
        shown = self.shown
        if shown is not None and self.now.timestamp() - float(shown["at"]) < shown["least"]:
            return Submission.Reason.HURRY
        return ""

    @property
    def shown_fields(self) -> list[Any]:
        """The fields a person sees, in order; the consent last."""
        return [self[name] for name in (*(asked.key for asked in self.asked), "consent") if name in self.fields]

    def visit(self, *, language: str, referrer: str, address_mark: str) -> Visit:
        """Return what was said and how the visitor came; `referrer` is the browser's, where the form has none."""
        said = self._answers(self.cleaned_data)
        places = {asked.key: asked.maps_to for asked in self.asked if asked.maps_to}
        return Visit(
            fields={places[answer["key"]]: answer["value"] for answer in said if answer["key"] in places},
            answers=said,
            consent=self._agreed(),
            language=language,
            utm={part: value for part in UTM if (value := self._along(f"utm_{part}", LONGEST_UTM))},
            referrer=self._along("referrer", LONGEST_ADDRESS) or tidied(referrer, LONGEST_ADDRESS),
            page=self._along("page", LONGEST_ADDRESS),
            address_mark=address_mark,
        )

    def _field(self, asked: LeadFormField) -> forms.Field:
        field = KINDS[LeadFormField.Kind(asked.kind)](asked, label=str(asked), required=asked.is_required)
        if asked.maps_to in AUTOCOMPLETE:
            field.widget.attrs["autocomplete"] = AUTOCOMPLETE[asked.maps_to]
        return field

    def _answers(self, cleaned: Mapping[str, Any]) -> list[dict[str, str]]:
        return [
            {"key": asked.key, "label": str(asked), "value": _as_text(cleaned.get(asked.key))} for asked in self.asked
        ]

    def _agreed(self) -> ConsentText | None:
        """The text as it was shown, though the admin has another now."""
        shown = (self.shown or {}).get("consent")
        if self.consent is None or shown in {None, self.consent.pk}:
            return self.consent
        return self.lead_form.consents.filter(pk=shown).first() or self.consent

    def _along(self, name: str, longest: int) -> str:
        return tidied(str(self.data.get(name) or ""), longest)


def _as_text(value: Any) -> str:
    """Write an answer as it is kept: days in ISO, a tick as a word."""
    if value is None or value is False:
        return ""
    if value is True:
        return str(_("yes"))
    return value.isoformat() if isinstance(value, dt.date) else str(value)
