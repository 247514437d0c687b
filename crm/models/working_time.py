"""When people work: calendars with weekly hours, holidays and exceptions; and when somebody is away."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Self

import holidays
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.models.accounts import Team, User, time_zone_choices
from crm.models.audit import audited


@lru_cache(maxsize=1)
def regions_by_country() -> dict[str, list[str]]:
    """Each country whose public holidays are known (ISO 3166 code), with the codes of its regions."""
    return holidays.list_supported_countries(include_aliases=False)


class WorkingCalendarQuerySet(models.QuerySet["WorkingCalendar"]):
    """Working calendars, read whole."""

    def whole(self) -> Self:
        """Calendars with their hours and exceptions, in three statements however many there are."""
        return self.prefetch_related("spans", "exceptions")

    def of_organisation(self) -> WorkingCalendar | None:
        """The calendar of every team and person without one of their own; None where none is marked so."""
        return self.whole().filter(is_default=True).first()

    def of_team(self, team: Team | None) -> WorkingCalendar | None:
        """The team's calendar, else the organisation's."""
        chosen = team.working_calendar_id if team else None
        return self.whole().filter(pk=chosen).first() if chosen else self.of_organisation()

    def of_user(self, user: User) -> WorkingCalendar | None:
        """The person's own calendar, else their team's, else the organisation's."""
        chosen = user.working_calendar_id
        return self.whole().filter(pk=chosen).first() if chosen else self.of_team(user.team)


@audited(kind="calendar")
class WorkingCalendar(models.Model):
    """Hours of each weekday on the clocks of one zone, without the public holidays of a country.

    A calendar without any hours works around the clock, public holidays and days off apart.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    time_zone = models.CharField(_("time zone"), max_length=64, choices=time_zone_choices, default=settings.TIME_ZONE)
    country = models.CharField(
        _("public holidays of"), max_length=2, blank=True, help_text=_("Nobody works on them. Empty: none are kept.")
    )
    region = models.CharField(
        _("region"), max_length=20, blank=True, help_text=_("For holidays of a state or province: its code.")
    )
    is_default = models.BooleanField(
        _("the organisation's"),
        default=False,
        help_text=_("For every team and person without a calendar of their own."),
    )

    objects = WorkingCalendarQuerySet.as_manager()

    class Meta:
        verbose_name = _("working calendar")
        verbose_name_plural = _("working calendars")
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("is_default",),
                name="crm_calendar_one_default",
                condition=Q(is_default=True),
                violation_error_message=_("Another calendar is the organisation's already."),
            ),
            models.CheckConstraint(
                name="crm_calendar_region_of_country",
                condition=Q(region="") | ~Q(country=""),
                violation_error_message=_("A region belongs to a country: choose the country as well."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a country or region whose holidays nobody knows."""
        known = regions_by_country()
        if self.country and self.country not in known:
            raise ValidationError({"country": gettext("The holidays of this country are not known.")})
        if self.country and self.region and self.region not in known[self.country]:
            regions = ", ".join(known[self.country]) or gettext("none")
            said = gettext("Holidays are known for these regions: %(regions)s.") % {"regions": regions}
            raise ValidationError({"region": said})


class WorkingSpan(models.Model):
    """From when to when a calendar works on one weekday; a day may have several."""

    class Weekday(models.IntegerChoices):
        """As Python counts them."""

        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    calendar = models.ForeignKey(WorkingCalendar, models.CASCADE, related_name="spans")
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday.choices)
    starts = models.TimeField(_("from"))
    ends = models.TimeField(_("until"), help_text=_("00:00 means the end of the day."))

    class Meta:
        verbose_name = _("working hours")
        verbose_name_plural = _("working hours")
        ordering = ("weekday", "starts")
        constraints = (
            models.CheckConstraint(
                name="crm_working_span_ends_after_start",
                condition=Q(ends__gt=F("starts")) | Q(ends=dt.time(0)),
                violation_error_message=_("Working hours end after they begin."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"


class CalendarException(models.Model):
    """A day that is unlike its weekday: off, or worked though it would be off."""

    calendar = models.ForeignKey(WorkingCalendar, models.CASCADE, related_name="exceptions")
    day = models.DateField(_("day"))
    is_working = models.BooleanField(_("people work"), default=False)
    starts = models.TimeField(
        _("from"), null=True, blank=True, help_text=_("Empty: as on the first working day of the week.")
    )
    ends = models.TimeField(_("until"), null=True, blank=True)
    name = models.CharField(_("what for"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        ordering = ("day",)
        constraints = (
            models.UniqueConstraint(
                fields=("calendar", "day"),
                name="crm_calendar_exception_once_a_day",
                violation_error_message=_("This day has its exception already."),
            ),
            models.CheckConstraint(
                name="crm_calendar_exception_hours_whole",
                condition=Q(starts__isnull=True, ends__isnull=True)
                | Q(is_working=True, starts__isnull=False, ends__isnull=False)
                & (Q(ends__gt=F("starts")) | Q(ends=dt.time(0))),
                violation_error_message=_("Give both the beginning and the end, in this order, of a day people work."),
            ),
        )

    def __str__(self) -> str:
        return self.name or str(self.day)


class AbsenceQuerySet(models.QuerySet["Absence"]):
    """Absences, by when they are."""

    def on(self, day: dt.date) -> Self:
        """Absences that `day` lies in."""
        return self.filter(starts_on__lte=day, ends_on__gte=day)

    def not_over(self, day: dt.date) -> Self:
        """Absences that last on `day`, or are still to come."""
        return self.filter(ends_on__gte=day)


@audited(kind="absence")
class Absence(models.Model):
    """Whole days on which a person is away, and who stands in for them."""

    user = models.ForeignKey(User, models.CASCADE, related_name="absences", verbose_name=_("who"))
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    substitute = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("stands in")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ("-starts_on",)
        constraints = (
            models.CheckConstraint(
                name="crm_absence_ends_after_start",
                condition=Q(ends_on__gte=F("starts_on")),
                violation_error_message=_("The last day is not before the first."),
            ),
            models.CheckConstraint(
                name="crm_absence_substitute_is_another",
                condition=Q(substitute__isnull=True) | ~Q(substitute=F("user")),
                violation_error_message=_("Somebody else stands in."),
            ),
        )
        indexes = (
            # Who is away on a day.
            models.Index(fields=("user", "ends_on"), name="crm_absence_of_user"),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.starts_on} – {self.ends_on}"
