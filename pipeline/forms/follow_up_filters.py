"""What a list of follow-ups is narrowed by, and what is done with the chosen ones."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import DayInput
from crm.models import FollowUp, User, subject_models
from crm.rules.follow_up_bulk import MOST
from pipeline.forms.record_filters import ANY, ChoiceOfRows, DayFilter, people_seen, teams_seen

DONE, HAND_OVER, MOVE = "done", "hand_over", "move"


def kinds_of_subject(_request: HttpRequest | None = None) -> list[tuple[str, Any]]:
    """The kinds of record a follow-up may be about."""
    return [(kind, model._meta.verbose_name) for kind, model in subject_models().items()]


class FollowUpFilter(django_filters.FilterSet):
    """Follow-ups by words, person, team, kind, record and day; done or open is a tab of the list."""

    q = django_filters.CharFilter(method="with_words", label=_("What is to be done"), max_length=200)
    assignee = ChoiceOfRows(queryset=people_seen, label=_("Who"))
    team = ChoiceOfRows(field_name="assignee__team", queryset=teams_seen, label=_("Team"))
    kind = django_filters.ChoiceFilter(choices=FollowUp.Kind.choices, label=_("How"), empty_label=ANY)
    about = django_filters.ChoiceFilter(
        choices=kinds_of_subject, method="about_kind", label=_("About"), empty_label=ANY
    )
    due_from = DayFilter(field_name="due_at", lookup_expr="gte", is_moment=True, label=_("Due from"))
    due_to = DayFilter(field_name="due_at", lookup_expr="lt", is_moment=True, label=_("Due until"))

    class Meta:
        model = FollowUp
        fields: list[str] = []

    def with_words(self, rows: Any, _name: str, text: str) -> Any:
        """Follow-ups whose words hold each of the text's."""
        for word in text.split():
            rows = rows.filter(title__icontains=word)
        return rows

    def about_kind(self, rows: Any, _name: str, kind: str) -> Any:
        """Follow-ups of one kind of record."""
        return rows.filter(subject_type=ContentType.objects.get_for_model(subject_models()[kind]))


class BulkForm(forms.Form):
    """What is done with the chosen follow-ups: done, handed over, or moved to a day."""

    act = forms.ChoiceField(choices=[(DONE, _("Done")), (HAND_OVER, _("Hand over")), (MOVE, _("Move"))])
    chosen = forms.TypedMultipleChoiceField(coerce=int, error_messages={"required": _("Choose some first.")})
    to = forms.ModelChoiceField(queryset=User.objects.none(), required=False, label=_("To"), empty_label=_("to whom"))
    day = forms.DateField(required=False, widget=DayInput, label=_("Day"))

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["to"].queryset = User.objects.assignable_by(person)  # type: ignore[attr-defined]
        for name, css in (("to", "form-select"), ("day", "form-control")):
            self.fields[name].widget.attrs |= {"class": css, "aria-label": self.fields[name].label}
        data: Any = self.data
        sent = data.getlist("chosen")[:MOST] if self.is_bound else []
        self.fields["chosen"].choices = [(pk, pk) for pk in sent if pk.isdecimal() and len(pk) <= 18]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Who it is handed to, or the day, is asked for by what is done."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("act") == HAND_OVER and not cleaned.get("to") and "to" not in self.errors:
            self.add_error("to", _("Say to whom."))
        if cleaned.get("act") == MOVE and not cleaned.get("day") and "day" not in self.errors:
            self.add_error("day", _("Say to which day."))
        if cleaned.get("act") == MOVE and cleaned.get("day") and cleaned["day"] < timezone.localdate():
            self.add_error("day", _("This day is past."))
        return cleaned
