"""What a dashboard is asked, as it stands in its address: period, comparison and filters."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import DayInput
from crm.models import Campaign, LeadSource, Segment, Team, User
from crm.rules.segments import LEAD
from metrics.scope import DAY, DIMENSIONS, Filters, Period, Scope, add_months, organisation_zone
from pipeline.models import Pipeline

PERIODS = {
    "90-days": _("last 90 days"),
    "this-month": _("this month"),
    "last-month": _("last month"),
    "this-quarter": _("this quarter"),
    "last-quarter": _("last quarter"),
    "this-year": _("this year"),
    "last-year": _("last year"),
    "12-months": _("last 12 whole months"),
}
COMPARISONS = {"before": _("the period before"), "year": _("a year earlier")}
LONGEST = dt.timedelta(days=366 * 20)
ANY = _("any")


def named_period(name: str, today: dt.date) -> Period:
    """Return the preset `name` seen from `today`; one that still runs ends with today, so that like meets like."""
    month, tomorrow = today.replace(day=1), today + DAY
    quarter = add_months(month, -((today.month - 1) % 3))
    year = today.replace(month=1, day=1)
    return {
        "90-days": Period(tomorrow - DAY * 90, tomorrow),
        "this-month": Period(month, tomorrow),
        "last-month": Period(add_months(month, -1), month),
        "this-quarter": Period(quarter, tomorrow),
        "last-quarter": Period(add_months(quarter, -3), quarter),
        "this-year": Period(year, tomorrow),
        "last-year": Period(add_months(year, -12), year),
        "12-months": Period(add_months(month, -12), month),
    }[name]


def a_year_earlier(period: Period) -> Period:
    """Return the same days of the year before; as many days, where a 29 February is missing."""
    start = add_months(period.start.replace(day=1), -12) + DAY * (period.start.day - 1)
    if period.whole_months:
        return Period(start, add_months(period.end, -12))
    return Period(start, start + DAY * period.days)


def teams_seen_by(person: User) -> Any:
    """Return the teams of the people whose records the person reads, and those they lead."""
    people = User.objects.visible_to(person)
    return Team.objects.filter(Q(members__in=people) | Q(leaders=person.pk)).distinct()


class ScopeForm(forms.Form):
    """The address of a dashboard. A choice that does not exist, or is not the person's to see, is an invalid choice."""

    period = forms.ChoiceField(choices=list(PERIODS.items()), required=False, label=_("Period"))
    start = forms.DateField(required=False, label=_("From"), widget=DayInput())
    end = forms.DateField(required=False, label=_("Until (included)"), widget=DayInput())
    compare = forms.ChoiceField(choices=list(COMPARISONS.items()), required=False, label=_("Compared with"))
    pipeline = forms.ModelChoiceField(
        Pipeline.objects.none(), to_field_name="slug", required=False, label=_("Pipeline"), empty_label=ANY
    )
    owner = forms.ModelChoiceField(User.objects.none(), required=False, label=_("Owner"), empty_label=ANY)
    team = forms.ModelChoiceField(Team.objects.none(), required=False, label=_("Team"), empty_label=ANY)
    source = forms.ModelChoiceField(LeadSource.objects.all(), required=False, label=_("Source"), empty_label=ANY)
    campaign = forms.ModelChoiceField(Campaign.objects.all(), required=False, label=_("Campaign"), empty_label=ANY)
    segment = forms.ModelChoiceField(Segment.objects.none(), required=False, label=_("Segment"), empty_label=ANY)

    def __init__(self, query: QueryDict, *, viewer: User, now: dt.datetime) -> None:
        super().__init__(query, prefix=None)
        self.viewer, self.now = viewer, now
        people = User.objects.visible_to(viewer)
        choices: dict[str, Any] = self.fields
        choices["owner"].queryset = people
        choices["team"].queryset = teams_seen_by(viewer)
        choices["segment"].queryset = Segment.objects.visible_to(viewer).filter(about=LEAD).select_related("owner")
        choices["pipeline"].queryset = Pipeline.objects.visible_to(viewer)

    def clean(self) -> dict[str, Any]:
        """Own days want both ends, in their order, and not a century of them."""
        cleaned: dict[str, Any] = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if (start is None) != (end is None) and not {"start", "end"} & set(self.errors):
            self.add_error("end" if end is None else "start", _("A period of one's own needs both its days."))
        elif start and end and end < start:
            self.add_error("end", _("The last day is before the first."))
        elif start and end and (end - start > LONGEST or start.year < 1970 or end.year > 2200):
            self.add_error("end", _("Figures reach over 20 years at most."))
        return cleaned

    @property
    def names_nothing_known(self) -> bool:
        """Whether a choice does not exist, or is not the person's to see."""
        return any(self.has_error(name, code="invalid_choice") for name in self.fields)

    @property
    def is_own_period(self) -> bool:
        """Whether the days were given one by one."""
        return self.cleaned_data.get("start") is not None

    @property
    def asked_period(self) -> Period:
        """The days asked about."""
        if self.is_own_period:
            return Period(self.cleaned_data["start"], self.cleaned_data["end"] + DAY)
        today = self.now.astimezone(organisation_zone()).date()
        return named_period(self.cleaned_data.get("period") or next(iter(PERIODS)), today)

    @property
    def compared_period(self) -> Period:
        """The days they are compared with."""
        period = self.asked_period
        return a_year_earlier(period) if self.cleaned_data.get("compare") == "year" else period.before()

    @property
    def scope(self) -> Scope:
        """The question, as its viewer may ask it."""
        filters = Filters(**{name: self.cleaned_data[name] for name in DIMENSIONS})
        return Scope(self.asked_period, filters, viewer=self.viewer, now=self.now)
