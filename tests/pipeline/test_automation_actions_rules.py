"""What the actions of stage rules do, and what they say where they cannot."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import (
    Absence,
    AuditEntry,
    Campaign,
    Email,
    EmailTemplate,
    FollowUp,
    Notification,
    Sequence,
    Team,
    User,
)
from crm.rules.delivering import deliver_due
from crm.rules.suppression import suppress
from pipeline.models import Deal, Stage, StageRule
from pipeline.rules.automation.words import described, results_of, sentence_of
from pipeline.rules.moving import move_deal
from tests.factories import ContactFactory, DealFactory, LeadSourceFactory, UserFactory
from tests.factories.stage_rules import let_time_pass, list_of, rule_for

pytestmark = pytest.mark.django_db

Stages = dict[str, Stage]
TAG = ("add_tag", {"tag": "seen"})


@pytest.fixture
def deal(rep: User, stages: Stages) -> Deal:
    deal: Deal = DealFactory(owner=rep, name="Dryer", created_at=timezone.now() - dt.timedelta(days=3))
    let_time_pass()
    return deal


def move(deal: Deal, to: Stage, by: User) -> Deal:
    deal = Deal.objects.get(pk=deal.pk)
    return move_deal(deal, to=to, seen_version=deal.version, by=by, now=timezone.now())


def carry_on(seconds: float = 60) -> None:
    """Let so much time pass, and do what is due."""
    let_time_pass(seconds)
    deliver_due(seconds=10)


def came_of(rule: StageRule) -> list[str]:
    return [sentence_of(firing) for firing in rule.firings.order_by("pk")]


def do(deal: Deal, rep: User, stages: Stages, *actions: tuple[str, dict[str, Any]]) -> StageRule:
    rule = rule_for(stages["meeting"], *actions)
    move(deal, stages["meeting"], rep)
    carry_on()
    return rule


def test_follow_ups_are_on_the_owners_clock_and_in_their_language(deal: Deal, rep: User, stages: Stages) -> None:
    User.objects.filter(pk=rep.pk).update(time_zone="Europe/Berlin", language="ru")
    given = list_of()
    given.items.create(name="Agree", name_ru="Согласовать", kind="call", after_days=2, position=1)
    given.items.create(name="Send", name_ru="", after_days=3, position=2)
    do(deal, rep, stages, ("follow_ups", {"list": given.pk}))
    first, second = FollowUp.objects.order_by("due_at")
    assert (first.title, first.kind, first.assignee, second.title) == ("Согласовать", "call", rep, "Send")
    assert (first.due_local.hour, first.time_zone) == (10, "Europe/Berlin")
    assert Deal.objects.get(pk=deal.pk).next_step_at == first.due_at
    entry = AuditEntry.objects.about("follow_up", first.pk)[0]
    assert (entry.actor, entry.note) == (None, f"stage rule: {StageRule.objects.get().name}")


def template(by: User, subject: str = "Hello {{ person.first_name }}") -> EmailTemplate:
    found: EmailTemplate = EmailTemplate.objects.create(
        name="Hello", owner=by, is_shared=True, subject=subject, body="<p>We are {{ sender.name }}</p>"
    )
    return found


def test_template_goes_out_from_the_owner(
    deal: Deal, rep: User, stages: Stages, admin: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    contact = ContactFactory(owner=rep, name="Daria Kestrel", email="daria@client.test")
    Deal.objects.filter(pk=deal.pk).update(contact=contact)
    rule = do(deal, rep, stages, ("send_template", {"template": template(admin).pk}))
    deliver_due(seconds=5)
    assert came_of(rule) == ["Send an e-mail (Hello)"]
    (mail,) = mailoutbox
    assert (mail.subject, mail.to) == ("Hello Daria", ["Daria Kestrel <daria@client.test>"])
    assert mail.reply_to == [f"{rep.name} <{rep.email}>"]
    assert Email.objects.get().author == rep


def test_why_no_template_went_out_is_said(
    deal: Deal, rep: User, stages: Stages, admin: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    mail = ("send_template", {"template": template(admin).pk})
    missing = ("send_template", {"template": template(admin, "{{ person.position }}").pk})
    assert came_of(do(deal, rep, stages, mail, TAG)) == [
        "not done: Send an e-mail (the deal has no contact); Add a tag (seen)"
    ]
    contact = ContactFactory(owner=rep, email="gone@client.test", position="")
    Deal.objects.filter(pk=deal.pk).update(contact=contact)
    suppress("gone@client.test", reason="unsubscribed", by=None, now=timezone.now())
    rule = rule_for(stages["proposal"], mail)
    move(deal, stages["proposal"], rep)
    carry_on()
    assert came_of(rule) == ["not done: Send an e-mail (the address gets no more mail)"]
    type(contact).objects.filter(pk=contact.pk).update(email="here@client.test")
    rule = rule_for(stages["negotiation"], missing)
    move(deal, stages["negotiation"], rep)
    carry_on()
    assert came_of(rule) == ["not done: Send an e-mail (the template asks for a value that is missing: Position)"]
    assert not mailoutbox
    assert not Email.objects.exists()


@pytest.mark.parametrize("to", ["owner", "manager", "team", "person"])
def test_notices_reach_whom_they_are_for(
    deal: Deal, rep: User, manager: User, colleague: User, north: Team, stages: Stages, to: str
) -> None:
    said = {"to": to, "text": "Have a look", "text_ru": "Посмотрите", "team": north.pk, "person": colleague.pk}
    User.objects.filter(pk=rep.pk).update(language="ru")
    do(deal, rep, stages, ("notify", said))
    deliver_due(seconds=5)
    told = {notice.user: notice.text for notice in Notification.objects.all()}
    expected = {"owner": {rep}, "manager": {manager}, "team": {rep, colleague}, "person": {colleague}}
    assert set(told) == expected[to]
    assert all("Dryer" in text for text in told.values())
    if rep in told:
        assert "Посмотрите" in told[rep]


def test_who_may_not_see_the_deal_is_not_told(deal: Deal, rep: User, outsider: User, stages: Stages) -> None:
    rule = do(deal, rep, stages, ("notify", {"to": "person", "person": outsider.pk}))
    assert came_of(rule) == ["not done: Notify (nobody of them may see the deal)"]
    assert not Notification.objects.exists()


def test_deals_go_to_the_reps_of_a_team_in_turn(rep: User, colleague: User, outsider: User, stages: Stages) -> None:
    away = UserFactory(team=rep.team, name="Away")
    today = timezone.localdate()
    Absence.objects.create(user=away, starts_on=today - dt.timedelta(days=1), ends_on=today + dt.timedelta(days=2))
    rule_for(stages["meeting"], ("assign", {"to": "team", "team": rep.team_id}))
    owners = []
    for _ in range(4):
        deal = DealFactory(owner=outsider)
        let_time_pass()
        move(deal, stages["meeting"], outsider)
        carry_on()
        owners.append(Deal.objects.get(pk=deal.pk).owner)
    assert owners == [rep, colleague, rep, colleague]


def test_fields_are_set_in_order_and_each_action_sees_the_last(deal: Deal, rep: User, stages: Stages) -> None:
    source = LeadSourceFactory(name="Fair")
    campaign = Campaign.objects.create(name="Autumn", source=source)
    rule = do(
        deal,
        rep,
        stages,
        ("set_source", {"source": source.pk}),
        ("set_campaign", {"campaign": campaign.pk}),
        ("set_expected_close", {"days": 30}),
        ("add_tag", {"tag": "hot"}),
        ("add_tag", {"tag": "hot"}),
        ("remove_tag", {"tag": "hot"}),
    )
    fresh = Deal.objects.get(pk=deal.pk)
    assert (fresh.source, fresh.campaign, fresh.tags) == (source, campaign, [])
    assert fresh.expected_close_on == timezone.localdate() + dt.timedelta(days=30)
    assert [result.is_done for result in results_of(rule.firings.get())] == [True, True, True, True, False, True]


def test_automated_move_asks_for_what_the_stage_asks(deal: Deal, rep: User, stages: Stages) -> None:
    Stage.objects.filter(slug="proposal").update(required_fields=["amount", "company"])
    rule = do(deal, rep, stages, ("move", {"stage": stages["proposal"].pk}))
    assert came_of(rule) == [
        "not done: Move the deal (the stage asks for what the deal does not have: Amount, Company)"
    ]
    assert Deal.objects.get(pk=deal.pk).stage == stages["meeting"]


HOSTILE = [
    ("add_tag", {"tag": "x" * 41}),
    ("add_tag", {"tag": ["a"]}),
    ("add_tag", []),
    ("set_source", {"source": "1; DROP TABLE"}),
    ("set_source", {"source": 2**70}),
    ("set_source", {"source": True}),
    ("set_expected_close", {"days": -1}),
    ("set_expected_close", {"days": 10**9}),
    ("set_expected_close", {"days": "NaN"}),
    ("notify", {"to": "everybody"}),
    ("notify", {"to": "person"}),
    ("assign", {"to": "person", "person": 0}),
    ("move", {"stage": -1}),
    ("__class__", {}),
]


@pytest.mark.parametrize(("kind", "parameters"), HOSTILE)
def test_hostile_parameters_do_nothing_and_say_so(
    deal: Deal, rep: User, stages: Stages, kind: str, parameters: Any
) -> None:
    before = Deal.objects.filter(pk=deal.pk).values("owner", "tags", "source", "expected_close_on").get()
    rule = do(deal, rep, stages, (kind, parameters))
    (result,) = results_of(rule.firings.get())
    assert not result.is_done
    assert Deal.objects.filter(pk=deal.pk).values("owner", "tags", "source", "expected_close_on").get() == before
    assert all(described(action) for action in rule.actions.all())


def test_person_who_left_gets_no_deal(deal: Deal, rep: User, colleague: User, stages: Stages) -> None:
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    rule = do(deal, rep, stages, ("assign", {"to": "person", "person": colleague.pk}))
    assert came_of(rule) == ["not done: Give the deal to (the rule names something that no longer exists)"]


def test_the_contact_is_taken_into_a_sequence_once(deal: Deal, rep: User, stages: Stages, admin: User) -> None:
    sequence = Sequence.objects.create(name="Chase", owner=admin, is_shared=True, state="active")
    sequence.steps.create(position=1, kind="wait", days=1)
    contact = ContactFactory(owner=rep, email="daria@client.test")
    Deal.objects.filter(pk=deal.pk).update(contact=contact)
    start = ("start_sequence", {"sequence": sequence.pk})
    rule = do(deal, rep, stages, start, start)
    assert came_of(rule) == [
        "Start a sequence (Chase); not done: Start a sequence (the person is in a sequence already)"
    ]
    enrolment = sequence.enrolments.get()
    assert (enrolment.subject, enrolment.sender, enrolment.enrolled_by) == (contact, rep, None)
