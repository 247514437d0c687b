"""The pages of mail that comes in: placing, marking, originals, mailboxes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm.models import Activity, Email, EmailAttachment, Lead, Mailbox, MailFolder, Receipt, User
from crm.rules.audit import acting
from crm.rules.receiving.timeline import put_on_timeline
from crm.rules.sealing import unseal
from tests.factories import ContactFactory
from tests.factories.mail import MailboxFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(rep: User) -> Mailbox:
    """The rep's mailbox."""
    return MailboxFactory(owner=rep)


def arrive(box: Mailbox, **fields: Any) -> Email:
    """A message that waits to be placed."""
    fields = {"from_address": "anna@customer.test", "from_name": "Anna", "subject_line": "A question", **fields}
    email = Email.objects.create(direction="in", author=box.owner, at=timezone.now(), **fields)
    folder = MailFolder.objects.get_or_create(mailbox=box, name="INBOX")[0]
    Receipt.objects.create(
        mailbox=box,
        folder=folder,
        uid_validity=1,
        uid=email.pk,
        key=str(email.pk),
        outcome="kept",
        email=email,
        person=box.owner,
    )
    return email


def test_suggestion_is_taken_in_one_click(web: Client, box: Mailbox, rep: User) -> None:
    contact = ContactFactory(name="Anna A", email="anna@customer.test", owner=rep)
    ContactFactory(name="Anna B", email="anna@customer.test", owner=rep)
    email = arrive(box)
    assert "Anna A" in web.get("/emails/triage/").content.decode()

    answer = web.post(f"/emails/{email.pk}/place/", {"place": f"contact-{contact.pk}", "next": "/emails/triage/"})

    assert answer["Location"] == "/emails/triage/"
    email.refresh_from_db()
    assert email.subject == contact
    assert "A question" in web.get(contact.get_absolute_url()).content.decode()


def test_lead_is_made_of_who_wrote(web: Client, box: Mailbox, rep: User) -> None:
    email = arrive(box, new_text="How much is it?")
    web.post(f"/emails/{email.pk}/lead/")
    lead = Lead.objects.get()
    assert (lead.name, lead.email, lead.owner, lead.message) == ("Anna", "anna@customer.test", rep, "How much is it?")
    assert web.post(f"/emails/{email.pk}/lead/", follow=True).status_code == 200
    assert Lead.objects.count() == 1


def test_set_aside_is_taken_back(web: Client, box: Mailbox) -> None:
    email = arrive(box)
    web.post(f"/emails/{email.pk}/set-aside/")
    assert "A question" not in web.get("/emails/triage/").content.decode()
    assert "A question" in web.get("/emails/triage/?show=aside").content.decode()
    web.post(f"/emails/{email.pk}/take-up/")
    assert "A question" in web.get("/emails/triage/").content.decode()


@pytest.mark.parametrize("place", ["", "contact-", "nobody-1", "contact-1x", "user-1"])
def test_bad_place_is_said(web: Client, box: Mailbox, place: str) -> None:
    email = arrive(box)
    assert web.post(f"/emails/{email.pk}/place/", {"place": place}).status_code == 422


def test_record_of_others_is_no_place(web: Client, box: Mailbox, outsider: User) -> None:
    contact = ContactFactory(owner=outsider)
    assert web.post(f"/emails/{arrive(box).pk}/place/", {"place": f"contact-{contact.pk}"}).status_code == 404


def placed(box: Mailbox, rep: User, **fields: Any) -> Email:
    """A message on a contact's timeline."""
    email = arrive(box, **fields)
    with acting(None):
        put_on_timeline(email, ContactFactory(owner=rep), now=timezone.now())
    return email


def test_mark_by_one_click_on_the_timeline(web: Client, box: Mailbox, rep: User) -> None:
    email = placed(box, rep, new_text="Yes, let's talk")
    assert "let&#x27;s talk" in web.get(email.subject.get_absolute_url()).content.decode()

    answer = web.post(f"/emails/{email.pk}/mark/", {"response": "positive"}, headers={"HX-Request": "true"})
    assert "timeline-changed" in answer["HX-Trigger"]
    assert Activity.objects.get(email=email).response == "positive"
    assert web.post(f"/emails/{email.pk}/mark/", {"response": "splendid"}).status_code == 422


def test_original_runs_nothing_and_fetches_nothing(web: Client, box: Mailbox, rep: User) -> None:
    html = (
        '<p onclick="x()">Hi</p><script>alert(1)</script><img src="https://spy.test/a.png">'
        '<img src="cid:logo"><img src="data:text/html,x">'
    )
    email = placed(box, rep, html=html)
    EmailAttachment.objects.create(
        email=email, name="a.png", content_type="image/png", content=b"png", size=3, content_id="logo"
    )
    answer = web.get(f"/emails/{email.pk}/original/")
    body = answer.content.decode()
    assert not any(word in body for word in ("script", "onclick", "spy.test", "text/html,x"))
    assert "data:image/png;base64,cG5n" in body
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_html_is_no_picture_whatever_it_is_called(web: Client, box: Mailbox, rep: User) -> None:
    email = placed(box, rep, html='<img src="cid:logo">')
    EmailAttachment.objects.create(
        email=email, name="a.png", content_type="application/octet-stream", content=b"<svg>", size=5, content_id="logo"
    )
    assert "data:" not in web.get(f"/emails/{email.pk}/original/").content.decode().split("<body>")[1]


def test_mailbox_is_added_without_showing_its_password(web: Client, rep: User) -> None:
    fields = {
        "name": "Mine", "address": "rita@example.test", "host": "10.0.0.1", "port": "993", "security": "tls",
        "username": "rita", "password": "very secret", "folder": "INBOX", "sent_folder": "", "reads_from": "2026-01-01",
        "keeps_unknown": "on",
    }  # fmt: skip
    assert web.post("/mailboxes/new/", {**fields, "password": ""}).status_code == 422
    answer = web.post("/mailboxes/new/", fields, follow=True)
    mailbox = Mailbox.objects.get()
    assert unseal(mailbox.secret) == "very secret"
    assert "inside our own network" in answer.content.decode()
    assert "very secret" not in answer.content.decode()
    assert (mailbox.owner, mailbox.takes_copies, mailbox.team) == (rep, False, None)

    changed = {**fields, "password": "", "name": "Other", "version": "1"}
    web.post(f"/mailboxes/{mailbox.pk}/", changed)
    mailbox.refresh_from_db()
    assert (mailbox.name, unseal(mailbox.secret)) == ("Other", "very secret")
    assert web.post(f"/mailboxes/{mailbox.pk}/", changed).status_code == 409
    assert web.post(f"/mailboxes/{mailbox.pk}/", {**changed, "version": "2", "host": "evil.test"}).status_code == 422


def test_mailbox_rests_and_goes(web: Client, box: Mailbox) -> None:
    web.post(f"/mailboxes/{box.pk}/pause/", {"pause": "1"})
    box.refresh_from_db()
    assert box.is_paused
    web.post(f"/mailboxes/{box.pk}/delete/")
    box.refresh_from_db()
    assert (box.deleted_at is not None, box.secret) == (True, "")
    web.post(f"/mailboxes/{box.pk}/restore/")
    box.refresh_from_db()
    assert (box.deleted_at, box.is_paused) == (None, True)


def test_only_leaders_and_admins_give_mailboxes_to_teams_and_copies(
    client: Client, rep: User, manager: User, admin: User
) -> None:
    shown = {}
    for person in (rep, manager, admin):
        client.force_login(person)
        body = client.get("/mailboxes/new/").content.decode()
        shown[person.role] = ('name="team"' in body, 'name="takes_copies"' in body)
    assert shown == {"rep": (False, False), "manager": (True, False), "admin": (True, True)}
