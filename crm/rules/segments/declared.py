"""The fields of this app: what conditions can ask about leads and contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Func, OuterRef, Q, TextField
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import (
    Activity,
    Campaign,
    Contact,
    DisqualifyReason,
    FollowUp,
    Lead,
    LeadForm,
    LeadSource,
    QualifyingAnswer,
    QualifyingQuestion,
    Submission,
    Team,
    User,
)
from crm.rules.segments.days import DAY, MOMENT
from crm.rules.segments.fields import CONTACT, LEAD, Asking, SegmentField, Text, register
from crm.rules.segments.kinds import ACTIVITY, CHOICE, FLAG, ME, NUMBER, STATE, TEXT
from crm.rules.segments.readiness import readiness_of_contacts, readiness_of_leads

Answer = QualifyingAnswer.Answer
WHO, WHERE_FROM, STANDING, HAPPENED = _("Who they are"), _("Where from"), _("How it stands"), _("What happened")


# --- What can be chosen -----------------------------------------------------------------------------------------------


def people(by: User | None) -> Iterable[tuple[str, Text]]:
    """The person who looks, then everybody they see."""
    yield ME, _("me")
    seen = User.objects.all() if by is None else User.objects.visible_to(by)
    yield from ((str(person.pk), str(person)) for person in seen)


def teams(by: User | None) -> Iterable[tuple[str, Text]]:
    """The teams of the people one sees."""
    rows = Team.objects.all()
    if by is not None:
        rows = rows.filter(Q(members__in=User.objects.visible_to(by)) | Q(leaders=by)).distinct()
    yield from ((str(team.pk), team.name) for team in rows)


def rows_of(model: Any) -> Callable[[User | None], Iterable[tuple[str, Text]]]:
    """Every row of what an admin sets up, such as sources."""
    return lambda _by: [(str(row.pk), str(row)) for row in model.objects.all()]


def fixed(choices: Iterable[tuple[str, Text]]) -> Callable[[User | None], Iterable[tuple[str, Text]]]:
    """Choices that are always the same."""
    return lambda _by: choices


# --- What happened ----------------------------------------------------------------------------------------------------


def touches_of(_asking: Asking, *, of: Any, **which: Any) -> Any:
    """The touches of a row of a model, in a query about it: whoever sees the row sees them all."""
    kind = ContentType.objects.get_for_model(of)
    return Activity.objects.present().touches().filter(subject_type=kind, subject_id=OuterRef("pk"), **which)


def next_steps_of(_asking: Asking, *, of: Any) -> Any:
    """The open follow-ups of a row of a model, in a query about it: whoever sees the row sees them all."""
    kind = ContentType.objects.get_for_model(of)
    return FollowUp.objects.present().filter(subject_type=kind, subject_id=OuterRef("pk"), done_at=None)


def _happened(about: str, model: Any) -> Iterable[SegmentField]:
    kinds: tuple[tuple[str, Text, Text, dict[str, Any]], ...] = (
        ("touches", _("Touches of any kind"), pgettext_lazy("in a sentence", "touch"), {}),
        ("calls", _("Calls"), pgettext_lazy("in a sentence", "call"), {"kind": Activity.Kind.CALL}),
        ("emails", _("E-mails"), pgettext_lazy("in a sentence", "e-mail"), {"kind": Activity.Kind.EMAIL}),
        ("meetings", _("Meetings"), pgettext_lazy("in a sentence", "meeting"), {"kind": Activity.Kind.MEETING}),
        ("messages", _("Messages"), pgettext_lazy("in a sentence", "message"), {"kind": Activity.Kind.MESSAGE}),
        ("heard", _("Heard from them"), pgettext_lazy("in a sentence", "word from them"), {"direction": "in"}),
        ("keen", _("Good answers"), pgettext_lazy("in a sentence", "good answer"), {"response": "positive"}),
    )
    for key, label, says, which in kinds:
        yield SegmentField(
            key, about, HAPPENED, label, ACTIVITY, rows=partial(touches_of, of=model, **which), says=says
        )
    yield SegmentField("last_touch", about, HAPPENED, _("Last contact"), MOMENT, "last_touch_at")
    yield SegmentField("next_step", about, HAPPENED, _("Next step"), MOMENT, "next_step_at")
    yield SegmentField(
        "planned",
        about,
        HAPPENED,
        _("Something is planned"),
        FLAG,
        rows=partial(next_steps_of, of=model),
    )
    yield SegmentField(
        "readiness",
        about,
        STANDING,
        _("Readiness"),
        STATE,
        "segment_readiness",
        expression=readiness_of_leads if about == LEAD else readiness_of_contacts,
        choices=fixed(Lead.Readiness.choices),
    )


def _of_company(about: str) -> Iterable[SegmentField]:
    yield SegmentField("industry", about, WHO, _("Industry"), TEXT, "company__industry")
    yield SegmentField("country", about, WHO, _("Country"), TEXT, "company__country")
    yield SegmentField("employees", about, WHO, _("Employees"), NUMBER, "company__employees")


# --- What they filled in ----------------------------------------------------------------------------------------------


def _submissions(_asking: Asking) -> Any:
    """What a lead sent through forms, with the answers alone as a text: whoever sees the lead reads it."""
    answers: Any = Func("answers", template="jsonb_path_query_array(%(expressions)s, '$[*].value')")
    sent = Submission.objects.filter(lead=OuterRef("pk"))
    return sent.alias(said=Cast(answers, TextField()), **{f"utm_{key}": KeyTextTransform(key, "utm") for key in UTM})


UTM = ("source", "medium", "campaign")


def _sent() -> Iterable[SegmentField]:
    forms = rows_of(LeadForm)
    yield SegmentField("form", LEAD, WHERE_FROM, _("Form filled in"), STATE, "form", choices=forms, rows=_submissions)
    yield SegmentField("answers", LEAD, WHERE_FROM, _("Answers in a form"), TEXT, "said", rows=_submissions)
    for key in UTM:
        yield SegmentField(f"utm_{key}", LEAD, WHERE_FROM, f"utm_{key}", TEXT, f"utm_{key}", rows=_submissions)


# --- What was found out -----------------------------------------------------------------------------------------------


def _answered(_asking: Asking, *, answer: str) -> Any:
    """What the checklist says of a lead, one answer a question: whoever sees the lead reads it."""
    return QualifyingAnswer.objects.filter(lead=OuterRef("pk"), answer=answer)


def _found_out() -> Iterable[SegmentField]:
    questions = rows_of(QualifyingQuestion)
    for answer, label in ((Answer.YES, _("Qualification: yes")), (Answer.NO, _("Qualification: no"))):
        rows = partial(_answered, answer=answer)
        yield SegmentField(
            f"checklist_{answer}", LEAD, STANDING, label, STATE, "question", choices=questions, rows=rows
        )


# --- Leads ------------------------------------------------------------------------------------------------------------

register(
    SegmentField("name", LEAD, WHO, pgettext_lazy("person", "Name"), TEXT, "name"),
    SegmentField("company_name", LEAD, WHO, _("Company"), TEXT, "company_name"),
    SegmentField("email", LEAD, WHO, _("E-mail"), TEXT, "email"),
    SegmentField("phone", LEAD, WHO, _("Phone"), TEXT, "phone"),
    SegmentField("message", LEAD, WHO, _("What they wrote"), TEXT, "message"),
    *_of_company(LEAD),
    SegmentField("source", LEAD, WHERE_FROM, _("Source"), CHOICE, "source", choices=rows_of(LeadSource)),
    SegmentField("campaign", LEAD, WHERE_FROM, _("Campaign"), CHOICE, "campaign", choices=rows_of(Campaign)),
    SegmentField("created", LEAD, WHERE_FROM, _("Came in"), MOMENT, "created_at"),
    *_sent(),
    SegmentField("status", LEAD, STANDING, _("Status"), STATE, "status", choices=fixed(Lead.Status.choices)),
    SegmentField("score", LEAD, STANDING, _("Score"), NUMBER, "score"),
    SegmentField("last_sign", LEAD, STANDING, _("Last sign of interest"), MOMENT, "last_sign_at"),
    SegmentField("answer_by", LEAD, STANDING, _("To be answered by"), MOMENT, "answer_by"),
    SegmentField("owner", LEAD, STANDING, _("Owner"), CHOICE, "owner", choices=people),
    SegmentField("team", LEAD, STANDING, _("Team"), CHOICE, "team", choices=teams),
    SegmentField("answered", LEAD, STANDING, _("First answered"), MOMENT, "first_response_at"),
    SegmentField("qualified", LEAD, STANDING, _("Qualified"), MOMENT, "qualified_at"),
    SegmentField("converted", LEAD, STANDING, _("Converted"), MOMENT, "converted_at"),
    SegmentField("disqualified", LEAD, STANDING, _("Disqualified"), MOMENT, "disqualified_at"),
    SegmentField(
        "disqualify_reason",
        LEAD,
        STANDING,
        _("Why disqualified"),
        CHOICE,
        "disqualify_reason",
        choices=rows_of(DisqualifyReason),
    ),
    SegmentField("nurture_until", LEAD, STANDING, _("Comes back on"), DAY, "nurture_until"),
    *_found_out(),
    *_happened(LEAD, Lead),
)


# --- Contacts ---------------------------------------------------------------------------------------------------------


def _leads_of_contact(asking: Asking) -> Any:
    return asking.seen(Lead.objects.all()).filter(contact=OuterRef("pk"))


register(
    SegmentField("name", CONTACT, WHO, pgettext_lazy("person", "Name"), TEXT, "name"),
    SegmentField("email", CONTACT, WHO, _("E-mail"), TEXT, "email"),
    SegmentField("phone", CONTACT, WHO, _("Phone"), TEXT, "phone"),
    SegmentField("position", CONTACT, WHO, pgettext_lazy("person", "Position"), TEXT, "position"),
    SegmentField("company_name", CONTACT, WHO, _("Company"), TEXT, "company__name"),
    *_of_company(CONTACT),
    SegmentField("created", CONTACT, WHERE_FROM, _("Added"), MOMENT, "created_at"),
    SegmentField(
        "was_lead",
        CONTACT,
        WHERE_FROM,
        _("Came as a lead"),
        FLAG,
        rows=_leads_of_contact,
        says=pgettext_lazy("in a sentence", "came as a lead"),
    ),
    SegmentField("owner", CONTACT, STANDING, _("Owner"), CHOICE, "owner", choices=people),
    *_happened(CONTACT, Contact),
)
