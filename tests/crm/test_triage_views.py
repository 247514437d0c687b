"""The list of e-mail to place: what it offers for each message, and at what cost."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.models import Contact, Email, MailFolder, Receipt, User
from pipeline.models import Pipeline
from tests.factories import ContactFactory, DealFactory, LeadFactory
from tests.factories.mail import MailboxFactory

pytestmark = pytest.mark.django_db


def waiting_mail(rep: User, *senders: tuple[str, str]) -> list[Email]:
    """Messages from these people that came into the rep's mailbox and found no place."""
    mailbox = rep.mailboxes.first() or MailboxFactory(owner=rep, address=rep.email)
    folder = MailFolder.objects.get_or_create(mailbox=mailbox, name="INBOX")[0]
    emails = []
    for address, name in senders:
        sent = {"direction": "in", "from_address": address, "from_name": name, "to_address": rep.email}
        email = Email.objects.create(
            subject_line="Hello", message_id=f"<{uuid.uuid4()}@x.test>", at=timezone.now(), **sent
        )
        uid = {"uid": email.pk, "uid_validity": 1, "key": uuid.uuid4().hex}
        Receipt.objects.create(mailbox=mailbox, folder=folder, outcome="kept", email=email, person=rep, **uid)
        emails.append(email)
    return emails


def offered(client: Client, email: Email) -> list[str]:
    """The names on the buttons of a message."""
    waiting = client.get(reverse("triage_list")).context["waiting"]
    return next([str(place.record) for place in each.places] for each in waiting if each.email == email)


def questions(rep: User, numbers: range) -> None:
    """For each number five messages: from two of an address, a lead, a namesake, a colleague, a stranger."""
    for n in numbers:
        twins = [ContactFactory(name=f"Anna {n}", email=f"anna@twins{n}.test", owner=rep) for _twin in "ab"]
        DealFactory(contact=twins[0], owner=rep)
        LeadFactory(email=f"lead{n}@alive.test", owner=rep)
        ContactFactory(name=f"Boris Namesake{n}", owner=rep)
        senders = [(f"anna@twins{n}.test", "Anna"), (f"lead{n}@alive.test", ""), (f"b{n}@x.test", f"Boris Namesake{n}")]
        waiting_mail(rep, *senders, (f"new@twins{n}.test", f"New {n}"), (f"nobody{n}@gmail.com", f"Nobody {n}"))


def test_list_costs_the_same_however_many_wait(client: Client, rep: User, sales: Pipeline) -> None:
    client.force_login(rep)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("triage_list")).status_code == 200
        return len(queries)

    questions(rep, range(1))
    count()
    few = count()
    questions(rep, range(1, 4))
    assert count() == few


def test_open_deals_stand_before_their_people(client: Client, rep: User, sales: Pipeline) -> None:
    twin = ContactFactory(name="Anna", email="anna@customer.test", owner=rep)
    other = ContactFactory(name="Other", email="anna@customer.test", owner=rep)
    deal = DealFactory(contact=twin, owner=rep)
    email = waiting_mail(rep, ("anna@customer.test", "anna"))[0]
    client.force_login(rep)
    assert offered(client, email) == [str(deal), str(twin), str(other)]


@pytest.mark.parametrize(("domain", "is_offered"), [("customer.test", True), ("gmail.com", False)])
def test_strangers_are_looked_for_among_their_colleagues(
    domain: str, is_offered: bool, client: Client, rep: User
) -> None:
    colleague: Contact = ContactFactory(name="Boris", email=f"boris@{domain}", owner=rep)
    email = waiting_mail(rep, (f"clara@{domain}", ""))[0]
    client.force_login(rep)
    assert offered(client, email) == ([str(colleague)] if is_offered else [])


def test_only_what_they_may_change_is_offered(client: Client, rep: User, colleague: User, outsider: User) -> None:
    for owner in (colleague, outsider):
        ContactFactory(name="Anna", email="anna@customer.test", owner=owner)
    email = waiting_mail(rep, ("anna@customer.test", "Anna"))[0]
    client.force_login(rep)
    assert offered(client, email) == []
