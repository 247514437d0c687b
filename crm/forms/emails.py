"""Writing an e-mail: to whom, from which template, what, with which files, and when."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.forms.files import FilesField
from crm.forms.inputs import MomentField
from crm.forms.rich_text import RichTextField
from crm.models import Contact, EmailTemplate, Lead, User
from crm.models.keys import folded_address
from crm.rules.suppression import suppressed_among

NOW, MORNING, AT = "now", "morning", "at"
WHEN = ((NOW, _("Now")), (MORNING, _("In their morning, on a working day")), (AT, _("At a time")))
SOONEST = dt.timedelta(minutes=1)
LATEST = dt.timedelta(days=366)

Person = Lead | Contact


def name_of(person: Person) -> str:
    """Return what the form calls a person: "contact-5"."""
    return f"{person._meta.model_name}-{person.pk}"


class EmailForm(forms.Form):
    """An e-mail to one or several of `people`."""

    to = forms.MultipleChoiceField(
        label=_("To"), widget=forms.CheckboxSelectMultiple(), help_text=_("Each gets a message of their own.")
    )
    template = forms.ModelChoiceField(
        EmailTemplate.objects.none(), label=_("Template"), required=False, empty_label=_("None")
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    subject_line = forms.CharField(
        label=_("Subject"), max_length=200, widget=forms.TextInput(attrs={"data-merge": True})
    )
    body = RichTextField(max_length=100_000)
    files = FilesField()  # type: ignore[assignment]  # Django takes it off the class
    when = forms.ChoiceField(label=_("Send"), choices=WHEN, widget=forms.RadioSelect())
    send_at = MomentField(label=_("Day and time"), required=False)
    can_unsubscribe = forms.BooleanField(
        label=_("With a link to unsubscribe"), required=False, help_text=_("For mail that nobody asked for.")
    )
    answers = forms.IntegerField(required=False, widget=forms.HiddenInput())
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput())
    filled = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, people: Sequence[Person], by: User, now: dt.datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.people = {name_of(person): person for person in people if person.email}
        self._now = now
        marks = suppressed_among(person.email for person in self.people.values())
        choices = [(key, _label(person, marks)) for key, person in self.people.items()]
        self.fields["to"].choices = choices  # type: ignore[attr-defined]
        self.fields["template"].queryset = EmailTemplate.objects.visible_to(by)  # type: ignore[attr-defined]
        self.fields["key"].initial = uuid.uuid4().hex

    def chosen(self) -> list[Person]:
        """The people it goes to."""
        return [self.people[key] for key in self.cleaned_data["to"]]

    def clean(self) -> dict[str, Any]:
        """A time is asked for where one is chosen, and it lies ahead."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") != AT or "send_at" in self.errors:
            return cleaned
        at = cleaned.get("send_at")
        if at is None:
            self.add_error("send_at", ValidationError(_("Say when it is to leave."), code="required"))
        elif not self._now - SOONEST <= at <= self._now + LATEST:
            self.add_error("send_at", ValidationError(_("Choose a time within the next year."), code="elsewhen"))
        return cleaned


def _label(person: Person, marks: dict[str, str]) -> str:
    mark = marks.get(folded_address(person.email))
    text = f"{person.name} <{person.email}>"
    return f"{text} · {_('gets no mail')}: {mark}" if mark else text


def tomorrow_at_ten(now: dt.datetime) -> dt.datetime:
    """Return what the field of the time offers first, on the person's own clock."""
    local = timezone.localtime(now) + dt.timedelta(days=1)
    return local.replace(hour=10, minute=0, second=0, microsecond=0)
