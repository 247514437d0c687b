"""The filters of the lead list, as they stand in its address."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import DayInput, PlainChoiceField, PlainSelect
from crm.models import Lead, LeadSource, Segment, Team, User
from crm.rules.segments import LEAD, within


class LeadFilterForm(forms.Form):
    """What narrows the lead list; people and teams are those the person may see."""

    q = forms.CharField(required=False, max_length=200, label=_("Name, company, e-mail or phone"))
    source = PlainChoiceField(LeadSource.objects.all(), required=False, label=_("Source"), empty_label=_("any"))
    owner = PlainChoiceField(User.objects.none(), required=False, label=_("Owner"), empty_label=_("any"))
    team = PlainChoiceField(Team.objects.none(), required=False, label=_("Team"), empty_label=_("any"))
    status = forms.ChoiceField(
        choices=[("", _("any")), *Lead.Status.choices], required=False, label=_("Status"), widget=PlainSelect
    )
    state = forms.ChoiceField(
        choices=[
            ("", _("any")),
            ("overdue", _("overdue")),
            ("today", _("today")),
            ("planned", _("planned")),
            ("unplanned", _("nothing planned")),
        ],
        required=False,
        label=_("Next step"),
        widget=PlainSelect,
    )
    segment = PlainChoiceField(Segment.objects.none(), required=False, label=_("Segment"), empty_label=_("any"))
    score = forms.TypedChoiceField(
        choices=[("", _("any")), ("70", _("70 and more")), ("50", _("50 and more")), ("30", _("30 and more"))],
        coerce=int,
        empty_value=None,
        required=False,
        label=_("Score"),
        widget=PlainSelect,
    )
    since = forms.DateField(required=False, label=_("From"), widget=DayInput())
    until = forms.DateField(required=False, label=_("To"), widget=DayInput(), help_text=_("This day included."))

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user
        segments = Segment.objects.visible_to(user).filter(about=LEAD).select_related("owner")
        self.fields["segment"].queryset = segments  # type: ignore[attr-defined]
        people = User.objects.visible_to(user)
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]
        self.fields["team"].queryset = Team.objects.filter(  # type: ignore[attr-defined]
            Q(members__in=people) | Q(leaders=user)
        ).distinct()

    def clean(self) -> dict[str, Any]:
        """A span of days ends after it begins."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("Choose a day at or after the first."))
        return cleaned

    @property
    def names_nothing_known(self) -> bool:
        """Whether a choice does not exist, or is not the person's to see."""
        return any(self.has_error(name, code="invalid_choice") for name in self.fields)

    def narrow(self, leads: Any) -> Any:
        """Return the leads that every valid filter lets through, of any status: the tabs count beyond it."""
        chosen = self.cleaned_data
        if chosen.get("q"):
            leads = leads.matching(chosen["q"])
        for name in ("source", "owner"):
            if chosen.get(name):
                leads = leads.filter(**{name: chosen[name]})
        if chosen.get("segment"):
            leads = within(leads, chosen["segment"], me=self.user, now=timezone.now())
        if chosen.get("score"):
            leads = leads.filter(score__gte=chosen["score"])
        if chosen.get("state"):
            leads = leads.in_state(chosen["state"], timezone.now())
        if chosen.get("team"):
            team = chosen["team"]
            leads = leads.filter(Q(owner__team=team) | Q(owner=None, team=team))
        if chosen.get("since"):
            leads = leads.filter(created_at__gte=_midnight(chosen["since"]))
        if chosen.get("until") and chosen["until"] < dt.date.max:  # no day comes after the last there is
            leads = leads.filter(created_at__lt=_midnight(chosen["until"] + dt.timedelta(days=1)))
        return leads


def _midnight(day: dt.date) -> dt.datetime:
    """When `day` begins on the person's clock."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))
