"""One record of each kind, all owned by the rep of North, and everybody who might reach for them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from crm.models import (
    Absence,
    Activity,
    DuplicateSuspicion,
    Email,
    EmailAttachment,
    EmailTemplate,
    Enrolment,
    Lead,
    MailFolder,
    Merge,
    Notification,
    OutboxRow,
    QualifyingQuestion,
    Receipt,
    SavedView,
    Segment,
    Sequence,
    Submission,
    Suppression,
    Team,
    User,
)
from crm.rules.importing.opening import open_upload
from crm.rules.importing.uploading import store_upload
from crm.rules.tokens import create_api_token
from pipeline.models import ChecklistItem, Deal, LineItem, Pipeline, Product, Stage
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    ContractFactory,
    DealFactory,
    FollowUpFactory,
    LeadFactory,
    LeadFormFactory,
    LeadSourceFactory,
    SubmissionFactory,
    TeamFactory,
    UserFactory,
    sales_pipeline,
)
from tests.factories.mail import MailboxFactory
from tests.factories.segments import SegmentFactory
from tests.factories.sequences import SequenceFactory, wait

NAME = "Kestrel"
"""It stands in the name of every record of the owner's, and nowhere else."""


@dataclass
class World:
    """The records by name, those in the bin as `deleted_<name>`, and a logged-in client for each identity."""

    records: dict[str, Any]
    clients: dict[str, Client]

    def __getattr__(self, name: str) -> Any:
        """Return the record called `name`."""
        return self.records[name]


def make_world() -> World:
    """Create the records and the people."""
    north, south = TeamFactory(name="North"), TeamFactory(name="South")
    own = UserFactory(team=north)
    records = _records(own, north)
    return World(records, _clients(own, north, south))


def _clients(own: User, north: Team, south: Team) -> dict[str, Client]:
    people = {
        "viewer": UserFactory(role=User.Role.VIEWER),
        "own": own,
        "teammate": UserFactory(team=north),
        "outsider": UserFactory(team=south),
        "manager": UserFactory(role=User.Role.MANAGER),
        "other_manager": UserFactory(role=User.Role.MANAGER),
        "admin": UserFactory(role=User.Role.ADMIN),
        "deactivated": UserFactory(team=north),
    }
    north.leaders.add(people["manager"])
    south.leaders.add(people["other_manager"])
    clients = {"anonymous": Client(raise_request_exception=False)}
    for name, person in people.items():
        clients[name] = Client(raise_request_exception=False)
        clients[name].force_login(person)
    User.objects.filter(pk=people["deactivated"].pk).update(is_active=False)
    return clients


def _records(own: User, north: Team) -> dict[str, Any]:
    records: dict[str, Any] = {}
    for prefix, deleted_at in (("", None), ("deleted_", timezone.now())):
        for kind, record in _one_of_each(own, north).items():
            type(record).objects.filter(pk=record.pk).update(deleted_at=deleted_at)
            records[prefix + kind] = record
    # Only an activity about something that is there can be taken back.
    Activity.objects.filter(pk=records["deleted_activity"].pk).update(subject_id=records["deal"].pk)
    return (
        records
        | _parts(records["deal"], own)
        | _notice(records["deal"], own)
        | _kept_out(north)
        | _letter(records["lead"], own)
        | _uploaded(own)
        | _mail_in(own)
        | _twins(records, own)
        | _sequence(records["sequence"], records["lead"], own)
        | {"outbox_row": OutboxRow.objects.create(kind="reminder", dedupe_key="reminder:matrix", state="dead")}
    )


def _one_of_each(own: User, north: Team) -> dict[str, Any]:
    sales_pipeline()
    company = CompanyFactory(name=f"{NAME} Ltd", owner=own)
    before = timezone.now() - dt.timedelta(days=2)
    deal = DealFactory(name=f"{NAME} deal", owner=own, company=company, amount=100, created_at=before)
    return {
        "company": company,
        "deal": deal,
        "lead": LeadFactory(name=f"{NAME} lead", owner=own, team=north),
        "contact": ContactFactory(name=f"{NAME} contact", owner=own, company=company),
        "contract": ContractFactory(company=company, owner=own, deal=deal),
        "activity": ActivityFactory(subject=deal, author=own, body=f"{NAME} called"),
        "sequence": SequenceFactory(name=f"{NAME} sequence", owner=own),
        "segment": SegmentFactory(name=f"{NAME} segment {Segment.objects.count()}", owner=own, shared_with="team"),
        "saved_view": SavedView.objects.create(
            name=f"{NAME} view {SavedView.objects.count()}", page="deals", owner=own, shared_with="team"
        ),
        "email_template": EmailTemplate.objects.create(
            name=f"{NAME} template", owner=own, subject="Hello", body="<p>x</p>"
        ),
    } | {"follow_up": FollowUpFactory(title=f"Call {NAME}", subject=deal, assignee=own)}


def _letter(lead: Any, own: User) -> dict[str, Any]:
    """An e-mail of the owner's that waits, with a file; and an address that gets none."""
    row = OutboxRow.objects.create(kind="email", dedupe_key="email:matrix")
    to = {"to_name": f"{NAME} lead", "to_address": "kestrel@client.test"}
    email = Email.objects.create(
        direction="out", subject=lead, author=own, row=row, subject_line=f"{NAME} offer", html="<p>x</p>", **to
    )
    file = EmailAttachment.objects.create(email=email, name="a.txt", content_type="text/plain", content=b"a", size=1)
    suppression = Suppression.objects.create(address="nobody@client.test", reason=Suppression.Reason.BY_HAND)
    return {"email": email, "email_attachment": file, "suppression": suppression}


def _parts(deal: Deal, own: User) -> dict[str, Any]:
    """What addresses with two ids name: parts of the deal, and those of another deal, stage or pipeline."""
    elsewhere = Pipeline.objects.create(slug="elsewhere", name="Elsewhere", position=9)
    other_stage = Stage.objects.create(pipeline=elsewhere, slug="first", name="First")
    other_deal = DealFactory(name="Another deal", owner=own, stage=other_stage)
    product = Product.objects.create(name="Hour", price=10)
    return {
        "stage": deal.stage,
        "other_stage": other_stage,
        "other_deal": other_deal,
        "qualifying_question": QualifyingQuestion.objects.get_or_create(name="Budget")[0],
        "other_question": QualifyingQuestion.objects.create(name="Of leads nobody has any more", is_archived=True),
        "item": ChecklistItem.objects.create(stage=deal.stage, name="Ask for the budget"),
        "other_item": ChecklistItem.objects.create(stage=other_stage, name="Send the papers"),
        "line_item": LineItem.objects.create(deal=deal, product=product, unit_price=10),
        "other_line_item": LineItem.objects.create(deal=other_deal, product=product, unit_price=10),
    }


def _notice(deal: Deal, own: User) -> dict[str, Any]:
    kind = ContentType.objects.get_for_model(Deal)
    token_ends = timezone.now() + dt.timedelta(days=1)
    api_token = create_api_token(name=NAME, scope="read", expires_at=token_ends, by=own, now=timezone.now()).token
    notice = Notification.objects.create(
        user=own, kind="rotting", dedupe_key="access", text=f"{NAME} waits", subject_type=kind, subject_id=deal.pk
    )
    days = {"starts_on": dt.date(2099, 7, 1), "ends_on": dt.date(2099, 7, 14)}
    absence = Absence.objects.create(user=own, **days)
    return {"notice": notice, "api_token": api_token, "absence": absence}


def _sequence(sequence: Sequence, lead: Lead, own: User) -> dict[str, Any]:
    """A step of the owner's sequence, one of another's, and the owner's lead under way."""
    step = wait(sequence)
    other = wait(SequenceFactory(owner=own))
    enrolment = Enrolment.objects.create(
        sequence=sequence, subject=lead, address="kestrel@client.test", sender=own, language="en", step=step
    )
    return {"step": step, "other_step": other, "enrolment": enrolment}


def _mail_in(own: User) -> dict[str, Any]:
    """A mailbox of the owner's, another in the bin, and a message that nobody has placed."""
    mailbox = MailboxFactory(owner=own, name=f"{NAME} mailbox")
    folder = MailFolder.objects.create(mailbox=mailbox, name="INBOX")
    email = Email.objects.create(direction="in", from_address="x@y.test", subject_line=f"{NAME} asks", author=own)
    Receipt.objects.create(
        mailbox=mailbox, folder=folder, uid_validity=1, uid=1, key="matrix", outcome="kept", email=email, person=own
    )
    deleted = MailboxFactory(owner=own, deleted_at=timezone.now())
    return {"mailbox": mailbox, "unsorted_email": email, "deleted_mailbox": deleted}


def _uploaded(own: User) -> dict[str, Any]:
    """A file that the owner uploaded and that was read."""
    run = store_upload(
        name=f"{NAME}.csv", pieces=[b"name,email\nAnna,a@a.test\n"], kind="leads", by=own, now=timezone.now()
    )
    open_upload(run)
    return {"import_run": run}


def _twins(records: dict[str, Any], own: User) -> dict[str, Any]:
    """A second contact who may be the first one, and a merge into the company."""
    contact = records["contact"]
    twin = ContactFactory(name=f"{NAME} twin", owner=own)
    pair = {"kind": "contact", "left_id": contact.pk, "right_id": twin.pk}
    return {
        "twin": twin,
        "suspicion": DuplicateSuspicion.objects.create(**pair, reasons=["name"], strength=2),
        "merge": Merge.objects.create(kind="company", survivor_id=records["company"].pk, by=own),
    }


def _kept_out(north: Team) -> dict[str, Any]:
    """What a form of the owner's team kept out, and what was thrown out of it."""
    source = LeadSourceFactory()
    form = LeadFormFactory(slug="contact", team=north, source=source)
    return {
        "source": source,
        "submission": SubmissionFactory(form=form, fields={"name": f"{NAME} visitor"}),
        "thrown_out": SubmissionFactory(form=form, state=Submission.State.THROWN_OUT),
    }
