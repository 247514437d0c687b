"""Pages of sequences: steps, whom a change concerns, enrolling with a preview, and how many queries they ask."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.models import Email, Enrolment, Lead, MassEnrolment, Sequence, SequenceStep, StepRun, Suppression, User
from crm.rules.delivering import deliver_due
from tests.crm.sequence_lives import deliver, enrol
from tests.factories import LeadFactory
from tests.factories.segments import SegmentFactory, condition, group
from tests.factories.sequences import EmailTemplateFactory, SequenceFactory, letter

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="daria@client.test")


def url(name: str, *args: Any) -> str:
    return reverse(name, args=args)


def test_a_sequence_is_built_step_by_step(web: Client, rep: User) -> None:
    template = EmailTemplateFactory(owner=rep, name="Hello")
    answer = web.post(url("sequence_create"), {"name": "Fair", "sends_at": "working_hours", "version": 0})
    sequence = Sequence.objects.get()
    assert answer["Location"] == url("sequence_detail", sequence.pk)

    def add(kind: str, **fields: Any) -> int:
        sequence.refresh_from_db()
        return web.post(
            url("sequence_step_create", sequence.pk, kind), {"version": sequence.version, **fields}
        ).status_code

    assert add("email", template=template.pk) == 302
    assert add("wait", days=3) == 302
    assert add("follow_up", follow_up_kind="call", title="Call", days=1) == 302
    assert add("branch", condition="opened") == 302
    shown = web.get(url("sequence_detail", sequence.pk)).content.decode()
    for words in ("Hello", "Wait 3 working days", "Call: Call", "they opened a link"):
        assert words in shown
    sequence.refresh_from_db()
    web.post(url("sequence_start", sequence.pk), {"version": sequence.version})
    sequence.refresh_from_db()
    assert sequence.state == Sequence.State.ACTIVE


@pytest.mark.parametrize(
    ("kind", "fields"), [("email", {}), ("wait", {"days": "400"}), ("follow_up", {"days": "1"}), ("branch", {})]
)
def test_what_is_missing_is_said_beside_its_field(
    web: Client, sequence: Sequence, kind: str, fields: dict[str, str]
) -> None:
    answer = web.post(url("sequence_step_create", sequence.pk, kind), {"version": 1, **fields}, headers=HTMX)
    assert answer.status_code == 422
    assert b"field-error" in answer.content


def test_an_empty_sequence_does_not_start(web: Client, rep: User) -> None:
    sequence = SequenceFactory(owner=rep, state="draft")
    answer = web.post(url("sequence_start", sequence.pk), {"version": 1})
    assert answer.status_code == 422
    assert b"Add a step first" in answer.content


def test_a_change_says_first_whom_it_concerns(web: Client, sequence: Sequence, lead: Lead, rep: User) -> None:
    enrol(sequence, lead, rep)
    first = sequence.steps.get(position=1)
    edit = url("sequence_step_edit", sequence.pk, first.pk)
    assert b"1 person stands before this step and gets it" in web.get(edit, headers=HTMX).content
    remove = url("sequence_step_remove", sequence.pk, first.pk)
    assert b"goes on with the next one" in web.get(remove, headers=HTMX).content
    deliver()
    assert b"1 person has had it" in web.get(edit, headers=HTMX).content
    move = url("sequence_step_move", sequence.pk, first.pk, "down")
    assert b"Nobody gets a step a second time" in web.get(move).content
    create = url("sequence_step_create", sequence.pk, "wait")
    assert b"1 person will come to it" in web.get(create).content
    assert b"It ends for 1 person" in web.get(url("sequence_delete", sequence.pk)).content


def test_who_comes_second_gets_409_and_what_they_wrote(web: Client, sequence: Sequence) -> None:
    step = sequence.steps.get(position=2)
    edit = url("sequence_step_edit", sequence.pk, step.pk)
    web.post(edit, {"version": 1, "days": 4})
    answer = web.post(edit, {"version": 1, "days": 9}, headers=HTMX)
    assert answer.status_code == 409
    assert b'value="9"' in answer.content
    assert web.post(edit, {"version": 2, "days": 9}).status_code == 302
    move = url("sequence_step_move", sequence.pk, step.pk, "up")
    assert web.post(move, {"version": 1}).status_code == 409
    assert web.post(move, {"version": 1}, headers=HTMX).status_code == 409
    assert web.post(move, {"version": 3}).status_code == 302
    assert sequence.steps.get(position=1) == step


def test_a_person_is_enrolled_from_their_page(web: Client, sequence: Sequence, lead: Lead) -> None:
    address = url("person_enrol", "lead", lead.pk)
    shown = web.get(address, headers=HTMX).content.decode()
    assert "If they stay silent they get" in shown
    for nothing in ("9" * 5_000, "0", "²"):
        assert web.get(address, {"sequence": nothing}).status_code == 200
    assert "Call them" in shown
    answer = web.post(address, {"sequence": sequence.pk, "language": "en"}, headers=HTMX)
    assert "dialog-close" in answer["HX-Trigger"]
    enrolment = Enrolment.objects.get()
    assert (enrolment.subject, enrolment.sender) == (lead, lead.owner)

    again = web.post(address, {"sequence": sequence.pk, "language": "en"}, headers=HTMX)
    assert again.status_code == 422
    assert b"in a sequence already" in again.content
    mine = web.get(url("person_sequences", "lead", lead.pk), headers=HTMX).content
    assert sequence.name.encode() in mine
    web.post(url("enrolment_pause", enrolment.pk))
    web.post(url("enrolment_resume", enrolment.pk))
    web.post(url("enrolment_stop", enrolment.pk), headers=HTMX)
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.reason) == ("stopped", "by_hand")


def test_a_segment_is_looked_at_before_it_is_enrolled(
    web: Client, sequence: Sequence, rep: User, colleague: User
) -> None:
    for number in range(12):
        LeadFactory(owner=rep, name=f"Person {number}", email=f"p{number}@client.test")
    LeadFactory(owner=rep, name="Nora Nowhere")
    LeadFactory(owner=rep, name="Sven Silent", email="silent@client.test")
    LeadFactory(owner=colleague, name="Cora of Carl", email="cora@client.test")
    enrol(sequence, LeadFactory(owner=rep, name="Ina In", email="in@client.test"), rep)
    Suppression.objects.create(address="silent@client.test", reason="unsubscribed")
    segment = SegmentFactory(owner=rep)
    asked = {"segment": segment.pk, "sender": "me", "language": "en"}

    answer = web.get(url("sequence_enrol", sequence.pk), asked)
    shown = answer.content.decode()
    assert answer.context["preview"].count == 12
    assert dict(answer.context["preview"].left_out) == {"no_address": 1, "suppressed": 1, "enrolled": 1, "not_yours": 1}
    for words in ("Nora Nowhere", "unsubscribed", "Cora of Carl", "Ina In", "Enrol 12 people"):
        assert words in shown

    web.post(url("sequence_enrol", sequence.pk), asked)
    assert b"Enrolling" in web.get(url("sequence_detail", sequence.pk)).content
    deliver_due(seconds=60)
    intake = MassEnrolment.objects.get()
    assert (intake.enrolled, intake.total, intake.left_out) == (
        12, 16, {"no_address": 1, "suppressed": 1, "enrolled": 1, "not_yours": 1},
    )  # fmt: skip
    assert intake.finished_at
    assert Enrolment.objects.filter(sequence=sequence).count() == 13


def test_the_name_of_a_segment_is_known_to_whom_it_is_shared_with(
    sequence: Sequence, rep: User, outsider: User, admin: User, client: Client
) -> None:
    Sequence.objects.filter(pk=sequence.pk).update(is_shared=True)
    for name, shared, end in (("Debtors", "nobody", None), ("Customers", "everyone", timezone.now())):
        segment = SegmentFactory(owner=outsider, name=name, shared_with=shared)
        MassEnrolment.objects.create(
            sequence=sequence, name=name, about=segment.about, conditions=segment.conditions, by=outsider, total=3,
            finished_at=end,
        )  # fmt: skip
    for person, knows in ((rep, False), (outsider, True), (admin, True)):
        client.force_login(person)
        text = client.get(sequence.get_absolute_url()).text
        assert ("Debtors" in text, "Customers" in text) == (knows, True), person
        assert (f"A segment of {outsider}" in text) is not knows


def test_each_owner_may_write_to_their_own(
    web: Client, manager: User, rep: User, colleague: User, client: Client
) -> None:
    sequence = SequenceFactory(owner=manager)
    letter(sequence, template=EmailTemplateFactory(owner=manager, is_shared=True))
    for owner in (rep, colleague):
        LeadFactory(owner=owner, email=f"{owner.pk}@client.test")
    LeadFactory(owner=None, team=rep.team, email="none@client.test")
    segment = SegmentFactory(owner=manager)
    client.force_login(manager)
    asked = {"segment": segment.pk, "sender": "owner", "language": "ru"}
    answer = client.get(url("sequence_enrol", sequence.pk), asked)
    assert answer.context["preview"].left_out == {"no_sender": 1}
    client.post(url("sequence_enrol", sequence.pk), asked)
    deliver_due(seconds=60)
    assert {row.sender for row in Enrolment.objects.all()} == {rep, colleague}


def test_a_verdict_is_given_only_where_the_numbers_allow_it(web: Client, rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    step = letter(sequence, template_b=EmailTemplateFactory(owner=rep))
    address = url("sequence_detail", sequence.pk)

    def give(variant: str, count: int, answered: int) -> None:
        for number in range(count):
            lead = LeadFactory(owner=rep)
            enrolment = Enrolment.objects.create(
                sequence=sequence, subject=lead, address=f"{lead.pk}@c.test", sender=rep, language="en", step=step
            )
            email = Email.objects.create(direction="out", subject=lead, at=timezone.now())
            at = timezone.now() if number < answered else None
            StepRun.objects.create(
                enrolment=enrolment,
                step=step,
                serial=1,
                variant=variant,
                email=email,
                at=timezone.now(),
                answered_at=at,
            )

    give("A", 20, 2)
    assert b"has not been sent yet" in web.get(address).content
    give("B", 20, 9)
    assert b"at least 50 letters" in web.get(address).content
    give("A", 40, 6)
    give("B", 40, 7)
    assert b"by chance alone" in web.get(address).content
    give("B", 40, 25)
    assert b"B is answered more often" in web.get(address).content


def test_pages_ask_no_more_for_more_people(web: Client, sequence: Sequence, rep: User) -> None:
    def fill(count: int) -> None:
        for _number in range(count):
            lead = LeadFactory(owner=rep)
            Enrolment.objects.create(
                sequence=sequence,
                subject=lead,
                address=f"{lead.pk}@c.test",
                sender=rep,
                language="en",
                step=sequence.steps.first(),
            )

    addresses = [url("sequence_list"), url("sequence_detail", sequence.pk), url("sequence_people", sequence.pk)]
    fill(2)
    counts = [_queries(web, address) for address in addresses]
    fill(20)
    SequenceFactory.create_batch(5, owner=rep)
    assert [_queries(web, address) for address in addresses] == counts
    assert max(counts) <= 20


def _queries(web: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert web.get(address).status_code == 200
    return len(asked)


def test_looking_at_a_segment_costs_the_same_for_many(web: Client, sequence: Sequence, rep: User) -> None:
    segment = SegmentFactory(owner=rep, conditions=group("all", condition("email", "filled")))
    address = url("sequence_enrol", sequence.pk) + f"?segment={segment.pk}&sender=me&language=en"
    LeadFactory.create_batch(10, owner=rep)
    for number in range(10):
        LeadFactory(owner=rep, email=f"a{number}@client.test")
    before = _queries(web, address)
    for number in range(100):
        LeadFactory(owner=rep, email=f"b{number}@client.test")
    assert _queries(web, address) == before


def test_steps_of_removed_templates_are_pointed_out(web: Client, sequence: Sequence) -> None:
    template = SequenceStep.objects.get(sequence=sequence, position=1).template
    assert template is not None
    template.deleted_at = timezone.now()
    template.save()
    assert b"The template was deleted" in web.get(url("sequence_detail", sequence.pk)).content
