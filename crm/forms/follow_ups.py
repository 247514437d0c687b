"""What a person says of a next step: what, when on their clock, who, and when to be reminded."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from crm.forms.guests import GuestsField
from crm.forms.inputs import ChooserSelect, MomentInput
from crm.forms.repeats import RepeatFields, initial_of
from crm.models import Activity, FollowUp, Subject, User, kind_of, subject_models
from crm.models.follow_ups import default_reminders
from crm.rules.follow_ups import Plan
from crm.rules.proposing import working_morning
from crm.rules.wall_clock import WallTime

REMINDERS = {
    0: _("When it is due"),
    15: _("15 minutes before"),
    60: _("An hour before"),
    24 * 60: _("A day before"),
}
OFFERED_SUBJECTS = 8
"""So many of each kind are offered while one types."""
FIRST_YEAR, LAST_YEAR = 2000, 2099


class WallTimeField(forms.Field):
    """A day and time on the person's wall clock; one that daylight saving skips is taken, and comes right after it."""

    widget = MomentInput
    default_error_messages = {"invalid": _("Give a day and a time, such as 2026-07-02 14:00.")}

    def to_python(self, value: Any) -> WallTime | None:
        """Read what the browser's picker (or a person) writes; None where it is empty."""
        if value in self.empty_values or isinstance(value, WallTime):
            return value or None
        try:
            local = dt.datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if local.tzinfo is not None or not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return WallTime(local, timezone.get_current_timezone_name())

    def prepare_value(self, value: Any) -> Any:
        """Show the figures on the person's clock."""
        if isinstance(value, WallTime):
            return value.seen_from(timezone.get_current_timezone_name()).local
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as the person sees it."""
        try:
            return bool(self.prepare_value(initial) != self.prepare_value(self.to_python(data)))
        except ValidationError:
            return True


class SubjectField(forms.ChoiceField):
    """A lead, deal, contact or company, searched for on the server; its value reads "deal-7"."""

    default_error_messages = {"invalid_choice": _("This is not among what you can choose. Choose again.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=ChooserSelect(address="follow_up_subjects"), **options)
        self.person: User | None = None

    def clean(self, value: Any) -> Subject | None:
        """Return the record itself; one that the person may not change is refused like one that is not there."""
        text = str(value or "").strip()
        if not text:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        kind, _dash, pk = text.partition("-")
        model = subject_models().get(kind)
        if model is None or not pk.isdecimal() or len(pk) > 18 or self.person is None:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        subject: Subject | None = model.objects.editable_by(self.person).filter(pk=pk).first()  # type: ignore[attr-defined]
        if subject is None:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        self.widget.choices = [(text, str(subject))]
        return subject


def subjects_matching(text: str, user: User) -> list[tuple[str, str]]:
    """Return value and name of the records `user` may plan for whose text holds `text`, a few of each kind."""
    found = []
    for kind, model in subject_models().items():
        rows = model.objects.editable_by(user).matching(text)[:OFFERED_SUBJECTS]  # type: ignore[attr-defined]
        found += [(f"{kind}-{row.pk}", f"{row} · {model._meta.verbose_name}") for row in rows]
    return found


class FollowUpForm(RepeatFields):
    """A next step; `said()` is the plan for the rule. Of a series, `scope` says whether what follows is meant too."""

    THIS, FOLLOWING = "this", "following"

    title = forms.CharField(label=_("What is to be done"), max_length=200)
    kind = forms.ChoiceField(label=_("How"), choices=FollowUp.Kind.choices)
    due = WallTimeField(label=_("When"))
    assignee = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none(), empty_label=None)
    remind_before = forms.TypedMultipleChoiceField(
        label=_("Remind"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 2}))
    duration_minutes = forms.IntegerField(label=_("Minutes"), min_value=5, max_value=24 * 60, required=False)
    location = forms.CharField(label=_("Place or link"), required=False, max_length=300)
    guests = GuestsField(
        label=_("Guests"), help_text=_("They get an invitation to the meeting, and what they answer is shown here.")
    )
    scope = forms.ChoiceField(
        label=_("Change"),
        choices=[(THIS, _("this one only")), (FOLLOWING, _("this one and all that follow"))],
        widget=forms.RadioSelect,
        initial=THIS,
        required=False,
    )

    def __init__(self, *args: Any, person: User, plan: Plan | None = None, **options: Any) -> None:
        options["initial"] = {
            "due": plan.due if plan else tomorrow_morning(person),
            "assignee": person,
            "duration_minutes": 30,
            "kind": FollowUp.Kind.CALL,
            "remind_before": default_reminders(),
            **(_as_initial(plan) if plan else {}),
            **(options.get("initial") or {}),
        }
        super().__init__(*args, **options)
        people = User.objects.assignable_by(person)
        if plan is not None:
            people |= User.objects.filter(pk=plan.assignee.pk)
        self.fields["assignee"].queryset = people  # type: ignore[attr-defined]
        self.fields["remind_before"].choices = _reminder_choices(self.initial["remind_before"])  # type: ignore[attr-defined]
        self.is_series = plan is not None and plan.repeat is not None
        if not self.is_series:
            del self.fields["scope"]

    @property
    def with_following(self) -> bool:
        """Whether what follows in the series is meant too."""
        return self.cleaned_data.get("scope") == self.FOLLOWING

    def said(self) -> Plan:
        """Return what is planned; `remind_before` may be empty: no reminder at all."""
        said = {name: self.cleaned_data[name] for name in ("title", "kind", "due", "assignee", "note", "location")}
        return Plan(
            **said,
            remind_before=tuple(self.cleaned_data["remind_before"]),
            duration_minutes=self.cleaned_data["duration_minutes"] or 30,
            repeat=self.repeat_said(),
            guests=self.cleaned_data["guests"],
        )


class NewFollowUpForm(FollowUpForm):
    """A next step for a record that is still to be chosen."""

    subject = SubjectField(label=_("For"))
    field_order = ("subject",)

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        super().__init__(*args, person=person, **options)
        self.fields["subject"].person = person  # type: ignore[attr-defined]


class UnchosenRadios(forms.RadioSelect):
    """Radio buttons of which none is chosen before a person chooses: the empty choice says something too."""

    def format_value(self, value: Any) -> list[str]:
        """None is no choice."""
        return [] if value is None else super().format_value(value)


class OutcomeForm(forms.Form):
    """What came of a follow-up that is done, and what comes next; both may stay empty.

    A `response` makes a touch of it on the timeline; where the form `asks_response`, what came of it is not said
    without how it went: a call that somebody tells of would else be taken for none.
    """

    response = forms.ChoiceField(
        label=_("How it went"),
        choices=[
            ("", _("no contact")),
            (Activity.Response.NONE, _("nobody answered")),
            (Activity.Response.POSITIVE, _("well")),
            (Activity.Response.NEUTRAL, _("neither well nor badly")),
            (Activity.Response.NEGATIVE, _("badly")),
        ],
        required=False,
        widget=UnchosenRadios,
    )
    outcome = forms.CharField(
        label=_("What came of it"), required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 2})
    )
    title = forms.CharField(label=_("What is next"), required=False, max_length=200)
    kind = forms.ChoiceField(label=_("How"), choices=FollowUp.Kind.choices, initial=FollowUp.Kind.CALL)
    due = WallTimeField(label=_("When"), required=False)
    completes = forms.BooleanField(required=False, widget=forms.HiddenInput)
    nothing_further = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, person: User, asks_response: bool = False, **options: Any) -> None:
        options["initial"] = {"due": tomorrow_morning(person), **(options.get("initial") or {})}
        super().__init__(*args, **options)
        self.asks_response = asks_response

    def clean(self) -> dict[str, Any]:
        """A next step needs its time; a time without words is no next step, nor is anything with "Nothing further"."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.asks_response and cleaned.get("outcome") and "response" not in self.data:
            words = _("Say how it went, or that there was no contact.")
            self.add_error("response", ValidationError(words, code="required"))
            self.fields["response"].required = True  # the form that comes back does not call it optional
        if cleaned.get("nothing_further"):
            for name in ("title", "kind", "due"):
                self.errors.pop(name, None)
            return cleaned | {"title": ""}
        if cleaned.get("title") and "due" in cleaned and cleaned["due"] is None:
            self.add_error("due", ValidationError(_("Say when."), code="required"))
        return cleaned

    def next_plan(self, assignee: User) -> Plan | None:
        """Return the next step, if one was named."""
        said = self.cleaned_data
        return Plan(said["title"], said["due"], assignee, kind=said["kind"]) if said["title"] else None


class RescheduleForm(forms.Form):
    """Another day and time."""

    due = WallTimeField(label=_("When"))


class MoveForm(RescheduleForm):
    """Where a follow-up was dragged to in a calendar, and how long it is there; as it was seen."""

    version = forms.IntegerField(min_value=1)
    duration_minutes = forms.IntegerField(min_value=5, max_value=24 * 60, required=False)


# --- Snoozing: one click each ---------------------------------------------------------------------------------------

HOUR = "hour"
SNOOZES = {
    HOUR: (_("In an hour"), 0),
    "tomorrow": (_("On the next working morning"), 1),
    "week": (_("In a week"), 7),
    "month": (_("In a month"), 30),
}
"""Words, and after how many days: in the morning, on a day on which the assignee works."""


class SnoozeForm(forms.Form):
    """One of the offered ways to put something off."""

    until = forms.ChoiceField(choices=[(key, words) for key, (words, _days) in SNOOZES.items()])

    def wall_time(self, assignee: User, now: dt.datetime) -> WallTime:
        """Return until when, on the assignee's clock and in their working hours."""
        chosen = self.cleaned_data["until"]
        local = WallTime.of(now, assignee.time_zone).local
        if chosen == HOUR:
            return WallTime(local.replace(second=0, microsecond=0) + dt.timedelta(hours=1), assignee.time_zone)
        return working_morning(assignee, on=local.date() + dt.timedelta(days=SNOOZES[chosen][1]))


def tomorrow_morning(person: User) -> WallTime:
    """Return the time that is offered for a next step: the next morning on which the person works."""
    today = WallTime.of(timezone.now(), person.time_zone).local.date()
    return working_morning(person, on=today + dt.timedelta(days=1))


def subject_value(subject: Subject) -> str:
    """Return how a record is named in a `SubjectField`."""
    return f"{kind_of(subject)}-{subject.pk}"


def _as_initial(plan: Plan) -> dict[str, Any]:
    return {
        "title": plan.title,
        "kind": plan.kind,
        "due": plan.due,
        "assignee": plan.assignee,
        "note": plan.note,
        "remind_before": list(plan.remind_before),
        "duration_minutes": plan.duration_minutes,
        "location": plan.location,
        "guests": plan.guests or (),
        **initial_of(plan.repeat, plan.due.local),
    }


def _reminder_choices(chosen: list[int]) -> list[tuple[int, Any]]:
    """The usual times, and whichever others were chosen elsewhere."""
    others = {minutes: ngettext_lazy("%d minute before", "%d minutes before") % minutes for minutes in chosen}
    return sorted((others | REMINDERS).items())
