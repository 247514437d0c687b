"""Segments: what can be asked, what is refused, and how conditions read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from crm.models import Contact, Lead, QualifyingAnswer, QualifyingQuestion, User
from crm.rules.segments import (
    Asking,
    ConditionsRefused,
    SegmentField,
    checked,
    fields_of,
    narrowed,
    sentence,
)
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    FollowUpFactory,
    LeadFactory,
    LeadFormFactory,
    LeadSourceFactory,
    SubmissionFactory,
    UserFactory,
)
from tests.factories.segments import condition, group

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)

pytestmark = pytest.mark.django_db


def found(*nodes: dict[str, Any], join: str = "all", about: str = "lead", me: User | None = None) -> list[str]:
    """The names of those for whom the conditions hold, of everybody."""
    rows: Any = (Lead if about == "lead" else Contact).objects.all()
    tree = checked(group(join, *nodes), about=about)
    return sorted(narrowed(rows, tree, about=about, asking=Asking(NOW, me)).values_list("name", flat=True))


def days(count: float) -> dt.datetime:
    return NOW - dt.timedelta(days=count)


# --- Fields and operators -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "value", "names"),
    [
        ("contains", "ann", ["Anna", "Hanna"]),
        ("lacks", "ann", ["Ivan"]),
        ("is", "ANNA", ["Anna"]),
        ("not", "anna", ["Hanna", "Ivan"]),
        ("starts", "an", ["Anna"]),
        ("empty", None, []),
        ("filled", None, ["Anna", "Hanna", "Ivan"]),
    ],
)
def test_text(op: str, value: str | None, names: list[str]) -> None:
    for name in ("Anna", "Hanna", "Ivan"):
        LeadFactory(name=name)
    assert found(condition("name", op, *([value] if value else []))) == names


def test_not_holds_for_those_without_a_value_too() -> None:
    fair, web = LeadSourceFactory(name="Fair"), LeadSourceFactory(name="Web")
    LeadFactory(name="fair", source=fair)
    LeadFactory(name="web", source=web)
    LeadFactory(name="none")
    LeadFactory(name="food", company=CompanyFactory(industry="Food"))
    assert found(condition("source", "in", fair.pk)) == ["fair"]
    assert found(condition("source", "in", fair.pk, web.pk)) == ["fair", "web"]
    assert found(condition("source", "not_in", fair.pk)) == ["food", "none", "web"]
    assert found(condition("source", "empty")) == ["food", "none"]
    assert found(condition("industry", "lacks", "food")) == ["fair", "none", "web"]
    assert found(condition("source", "in", fair.pk), join="none") == ["food", "none", "web"]


@pytest.mark.parametrize(
    ("op", "value", "names"),
    [
        ("above", "50", ["big"]),
        ("below", "50", ["small"]),
        ("least", "50", ["big", "fifty"]),
        ("most", "50", ["fifty", "small"]),
        ("is", "50", ["fifty"]),
        ("empty", None, ["alone"]),
    ],
)
def test_numbers(op: str, value: str | None, names: list[str]) -> None:
    for name, employees in (("small", 5), ("fifty", 50), ("big", 500)):
        LeadFactory(name=name, company=CompanyFactory(employees=employees))
    LeadFactory(name="alone")
    assert found(condition("employees", op, *([value] if value else []))) == names


@pytest.mark.parametrize(
    ("op", "value", "names"),
    [
        ("last", "7", ["today", "week"]),
        ("last", "0", ["today"]),
        ("older", "7", ["month"]),
        ("before", "2026-06-08", ["month"]),
        ("since", "2026-06-08", ["today", "week"]),
        ("next", "7", ["today"]),
    ],
)
def test_moments_by_whole_days_of_the_organisation(op: str, value: str, names: list[str]) -> None:
    LeadFactory(name="today", created_at=NOW)
    LeadFactory(name="week", created_at=dt.datetime(2026, 6, 8, 0, 0, tzinfo=dt.UTC))  # the first instant of that day
    LeadFactory(name="month", created_at=days(30))
    assert found(condition("created", op, value)) == names


def test_days_begin_where_the_organisation_is(settings: Any) -> None:
    LeadFactory(name="late evening", created_at=dt.datetime(2026, 6, 14, 22, 30, tzinfo=dt.UTC))
    assert found(condition("created", "last", "0")) == []
    settings.TIME_ZONE = "Europe/Moscow"
    assert found(condition("created", "last", "0")) == ["late evening"]


def test_dates() -> None:
    LeadFactory(name="soon", status="nurturing", nurture_until=dt.date(2026, 6, 20))
    LeadFactory(name="later", status="nurturing", nurture_until=dt.date(2026, 9, 1))
    LeadFactory(name="not")
    assert found(condition("nurture_until", "next", "7")) == ["soon"]
    assert found(condition("nurture_until", "empty")) == ["not"]


@pytest.fixture
def called() -> dict[str, Lead]:
    """A lead called yesterday, one called three times last month, one written to, one of whom nothing is known."""
    leads = {name: LeadFactory(name=name) for name in ("yesterday", "month", "mailed", "quiet")}
    ActivityFactory(subject=leads["yesterday"], at=days(1))
    for _time in range(3):
        ActivityFactory(subject=leads["month"], at=days(30))
    ActivityFactory(subject=leads["mailed"], kind="email", at=days(1))
    ActivityFactory(subject=leads["quiet"], kind="note", direction="", at=days(1))
    ActivityFactory(subject=leads["quiet"], at=days(1), deleted_at=NOW)
    ActivityFactory(subject=ContactFactory(pk=leads["quiet"].pk), at=days(1))  # of the same number, but no lead
    return leads


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize(
    ("field", "op", "value", "names"),
    [
        ("calls", "within", "7", ["yesterday"]),
        ("calls", "without", "7", ["mailed", "month", "quiet"]),
        ("calls", "ever", None, ["month", "yesterday"]),
        ("calls", "never", None, ["mailed", "quiet"]),
        ("calls", "least", "3", ["month"]),
        ("calls", "fewer", "3", ["mailed", "quiet", "yesterday"]),
        ("calls", "least", "0", ["mailed", "month", "quiet", "yesterday"]),
        ("touches", "within", "7", ["mailed", "yesterday"]),
        ("emails", "never", None, ["month", "quiet", "yesterday"]),
    ],
)
def test_what_happened(field: str, op: str, value: str | None, names: list[str]) -> None:
    assert found(condition(field, op, *([value] if value else []))) == names


@pytest.mark.parametrize("about", ["lead", "contact"])
def test_readiness_follows_from_what_they_did(about: str) -> None:
    make = LeadFactory if about == "lead" else ContactFactory
    for name, touches in {
        "cold": [("out", "none", 1)],
        "warm": [("in", "none", 20)],
        "long ago": [("in", "positive", 90)],
        "keen": [("out", "positive", 3)],
        "spoke": [("in", "none", 5), ("in", "none", 50)],
    }.items():
        somebody = make(name=name, **({"created_at": days(100)} if about == "lead" else {}))
        for direction, response, ago in touches:
            ActivityFactory(subject=somebody, direction=direction, response=response, at=days(ago))
    assert found(condition("readiness", "in", "hot"), about=about) == ["keen", "spoke"]
    assert found(condition("readiness", "in", "warm"), about=about) == ["warm"]
    assert found(condition("readiness", "not_in", "warm", "hot"), about=about) == ["cold", "long ago"]


def test_score() -> None:
    for name, score in (("none", None), ("low", 20), ("high", 80)):
        Lead.objects.filter(pk=LeadFactory(name=name).pk).update(score=score)
    assert found(condition("score", "above", 60)) == ["high"]
    assert found(condition("score", "above", 60), join="none") == ["low", "none"]
    assert found(condition("score", "empty")) == ["none"]


def test_what_was_found_out() -> None:
    budget, fit = (QualifyingQuestion.objects.create(name=name) for name in ("Money", "Match"))
    for name, answer in (("rich", "yes"), ("poor", "no"), ("unknown", "unknown")):
        lead = LeadFactory(name=name)
        QualifyingAnswer.objects.create(lead=lead, question=budget, answer=answer, answered_at=NOW)
    assert found(condition("checklist_yes", "in", budget.pk)) == ["rich"]
    assert found(condition("checklist_yes", "in", fit.pk)) == []
    assert found(condition("checklist_no", "in", budget.pk, fit.pk)) == ["poor"]
    assert found(condition("checklist_yes", "not_in", budget.pk)) == ["poor", "unknown"]


def test_what_they_filled_in() -> None:
    form, other = LeadFormFactory(), LeadFormFactory()
    said = {"answers": [{"key": "budget", "label": "Secret label", "value": "Бюджет 100%"}], "utm": {"source": "fair"}}
    SubmissionFactory(form=form, lead=LeadFactory(name="sent"), **said)
    LeadFactory(name="not")
    assert found(condition("form", "in", form.pk)) == ["sent"]
    assert found(condition("form", "in", other.pk)) == []
    assert found(condition("form", "not_in", form.pk)) == ["not"]
    assert found(condition("answers", "contains", "бюджет 100%")) == ["sent"]
    assert found(condition("answers", "contains", "secret label")) == []
    assert found(condition("answers", "empty")) == ["not"]
    assert found(condition("utm_source", "is", "fair")) == ["sent"]
    assert found(condition("utm_medium", "lacks", "fair")) == ["not", "sent"]


def test_planned_is_an_open_follow_up() -> None:
    planned, done = LeadFactory(name="planned"), LeadFactory(name="done")
    LeadFactory(name="nothing")
    FollowUpFactory(subject=planned, assignee=UserFactory())
    FollowUpFactory(subject=done, assignee=UserFactory(), done_at=NOW)
    assert found(condition("planned", "yes")) == ["planned"]
    assert found(condition("planned", "no")) == ["done", "nothing"]


def test_contacts() -> None:
    anna = ContactFactory(name="Anna", company=CompanyFactory(name="Mill", industry="Food"))
    ContactFactory(name="Ivan")
    LeadFactory(contact=anna)
    ActivityFactory(subject=anna, at=days(1))
    for node in (
        condition("company_name", "contains", "mill"),
        condition("industry", "is", "food"),
        condition("was_lead", "yes"),
        condition("touches", "within", "2"),
    ):
        assert found(node, about="contact") == ["Anna"], node


def test_groups_nest() -> None:
    for name, email in (("Anna", "a@x.test"), ("Ivan", ""), ("Olga", "o@y.test")):
        LeadFactory(name=name, email=email)
    has_mail = condition("email", "filled")
    at_x = condition("email", "contains", "x.test")
    assert found(has_mail, group("none", at_x)) == ["Olga"]
    assert found(condition("name", "is", "Ivan"), group("all", has_mail, at_x), join="any") == ["Anna", "Ivan"]
    assert found(has_mail, at_x, join="none") == ["Ivan"]


def test_every_field_can_be_asked_by_every_operator() -> None:
    """What each kind takes, so that a new field is asked at least once."""
    source, person = LeadSourceFactory(), UserFactory()
    LeadFactory(source=source, owner=person)
    asked = 0
    for about in ("lead", "contact"):
        for field in fields_of(about):
            for operator in field.kind.operators:
                value = _some_value(field, operator)
                if value is not None:
                    found(condition(field.key, operator.key, *value), about=about)
                    asked += 1
    assert asked > 150


def _some_value(field: SegmentField, operator: Any) -> list[str] | None:
    if operator.takes == "nothing":
        return []
    widget = field.kind.widget(operator)
    if widget == "choice":
        choices = [str(key) for key, _label in field.choices(None)] if field.choices else []
        return choices[:2] or None
    return {"text": ["a"], "number": ["3"], "day": ["2026-06-01"]}[widget] and [
        {"text": "a", "number": "3", "day": "2026-06-01"}[widget]
    ]


# --- What is refused ----------------------------------------------------------------------------------------------

LITERAL = ["'", '"', "%", "_", "\\", "'; DROP TABLE crm_lead; --", "%(owner)s", "{0}", ".*", "ё", "\u202egnp.exe"]


@pytest.mark.parametrize("text", LITERAL)
@pytest.mark.parametrize("op", ["contains", "is", "starts"])
def test_a_persons_text_is_only_ever_a_text(text: str, op: str) -> None:
    LeadFactory(name="plain")
    LeadFactory(name=text)
    assert found(condition("name", op, text)) == [text]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (condition("name", "contains", "a\x00b"), "character"),
        (condition("name", "contains", "a" * 10_000), "too long"),
        (condition("name", "contains", "  "), "compare"),
        (condition("name", "contains"), "compare"),
        (condition("name", "regex", "a"), "cannot be compared"),
        (condition("name__iregex", "is", "a"), "no such field"),
        (condition("owner__password", "is", "a"), "no such field"),
        ({"field": ["name"], "op": "is", "value": "a"}, "no such field"),
        ({"field": "name", "op": {"is": 1}, "value": "a"}, "cannot be compared"),
        ("a text", "no condition"),
        (condition("employees", "above", "1e9"), "whole number"),
        (condition("employees", "above", "9" * 400), "whole number"),
        (condition("employees", "above", "٣"), "whole number"),
        (condition("calls", "within", "-1"), "from 0"),
        (condition("calls", "within", "999999999"), "from 0"),
        (condition("created", "since", "2026-02-30"), "a day"),
        (condition("created", "since", "0001-01-01"), "a day"),
        (condition("status", "in", "eaten"), "not among"),
        (condition("status", "in"), "one at least"),
        (condition("source", "in", "1 OR 1=1"), "not among"),
        (group("xor", condition("name", "filled")), "all, any or none"),
    ],
)
def test_what_cannot_be_asked_is_named(node: Any, words: str) -> None:
    with pytest.raises(ConditionsRefused) as refused:
        checked(group("all", condition("name", "filled"), node), about="lead")
    assert list(refused.value.by_path) == ["0.1"]
    assert words in refused.value.message


@pytest.mark.parametrize("raw", [None, [], "x", 7, {}, {"of": []}, group("all"), group("all", group("any"))])
def test_no_conditions_are_refused(raw: Any) -> None:
    with pytest.raises(ConditionsRefused):
        checked(raw, about="lead")


def test_depth_and_number_are_bounded() -> None:
    leaf = condition("name", "filled")
    checked(group("all", *[leaf] * 40), about="lead")
    with pytest.raises(ConditionsRefused, match="40"):
        checked(group("all", *[leaf] * 41), about="lead")
    deep = leaf
    for _step in range(4):
        deep = group("any", deep)
    checked(deep, about="lead")
    with pytest.raises(ConditionsRefused, match="deep"):
        checked(group("any", deep), about="lead")


# --- Words --------------------------------------------------------------------------------------------------------


def test_conditions_read_as_a_sentence() -> None:
    fair = LeadSourceFactory(name="Fair", name_ru="Выставка")
    tree = checked(
        group(
            "all",
            condition("source", "in", fair.pk),
            condition("employees", "above", "60"),
            condition("calls", "without", "7"),
            group("any", condition("readiness", "in", "warm", "hot"), condition("email", "filled")),
        ),
        about="lead",
    )
    assert sentence(tree, about="lead", reader=None) == (
        "Source is Fair and employees above 60 and no call in the last 7 days"
        " and (readiness is Warm or Hot or e-mail is filled in)"
    )


def test_a_sentence_names_nobody_one_does_not_see(rep: User, outsider: User) -> None:
    tree = checked(group("all", condition("owner", "in", outsider.pk)), about="lead")
    assert outsider.name in sentence(tree, about="lead", reader=None)
    assert outsider.name not in sentence(tree, about="lead", reader=rep)
