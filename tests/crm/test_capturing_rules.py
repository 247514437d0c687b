"""What becomes of a submission after it came in: kept out, let in, thrown out, told of, forgotten, erased."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.db import InternalError, transaction
from django.test import Client
from django.utils import timezone

from crm.models import AuditEntry, Contact, Lead, LeadForm, OutboxRow, Submission, Suppression, User
from crm.rules.capturing import (
    NotKeptOut,
    Visit,
    capture,
    forget_kept_out,
    keep_submission,
    publish_consent,
    release_submission,
    throw_out_submission,
)
from crm.rules.delivering import deliver_due
from crm.rules.doors import forget_knocks, knock, mark_of
from crm.rules.erasing import erase_person, person_of
from crm.rules.errors import NotAllowed
from tests.factories import LeadFormFactory, SubmissionFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def sent(form: LeadForm, reason: str = "", now: dt.datetime = NOW, **fields: str) -> Submission:
    said = {"name": "Greta Holm", **fields}
    answers = [{"key": key, "label": key.title(), "value": value} for key, value in said.items()]
    return capture(form, visit=Visit(fields=said, answers=answers), reason=reason, now=now)


def test_what_was_kept_out_can_be_let_in_and_its_clock_starts_then(admin: User) -> None:
    submission = sent(LeadFormFactory(), reason="trap", email="greta@holm.test")
    assert Lead.objects.count() == 0
    later = NOW + dt.timedelta(days=2)
    fresh = release_submission(submission, by=admin, now=later)

    lead = Lead.objects.get()
    assert (fresh.state, fresh.lead, fresh.decided_by) == ("taken", lead, admin)
    assert (lead.name, lead.created_at) == ("Greta Holm", later)
    assert lead.activities.get().at == later
    last = AuditEntry.objects.about("submission", submission.pk).first()
    assert last is not None
    assert last.actor == admin
    with pytest.raises(NotKeptOut):
        release_submission(submission, by=admin, now=later)


def test_let_in_it_joins_the_lead_its_visitor_has_meanwhile(admin: User) -> None:
    form = LeadFormFactory()
    kept = sent(form, reason="hurry", email="greta@holm.test")
    taken = sent(form, email="GRETA@holm.test", message="Hello?")
    fresh = release_submission(kept, by=admin, now=NOW)

    assert (fresh.state, fresh.lead) == ("merged", taken.lead)
    assert Lead.objects.get().activities.count() == 2


def test_the_same_spam_is_kept_once(db: None) -> None:
    form = LeadFormFactory()
    assert sent(form, reason="trap") == sent(form, reason="trap")


def test_thrown_out_and_taken_back(manager: User, rep: User) -> None:
    submission = sent(LeadFormFactory(team=rep.team), reason="trap")
    throw_out_submission(submission, by=manager)
    assert not Submission.objects.visible_to(manager).kept_out().exists()
    keep_submission(submission, by=manager)
    assert Submission.objects.visible_to(manager).kept_out().get() == submission
    for person in (rep,):
        with pytest.raises(NotAllowed):
            throw_out_submission(submission, by=person)


def test_two_managers_decide_once(manager: User, admin: User) -> None:
    submission = sent(LeadFormFactory(), reason="trap")
    client = Client()
    client.force_login(admin)
    assert client.post(f"/submissions/{submission.pk}/release/").status_code == 302
    client.force_login(manager)
    late = client.post(f"/submissions/{submission.pk}/throw-out/", follow=True)
    assert "Somebody has decided about this submission already." in late.content.decode()
    assert Lead.objects.count() == 1


def test_the_owner_is_told_at_once_and_not_in_the_visitors_words(rep: User) -> None:
    form = LeadFormFactory(owner_rule="person", owner=rep)
    sent(form, name="Buy pills at evil.test", company_name="evil.test", message="evil.test")
    deliver_due(seconds=5)

    (told,) = mail.outbox
    assert told.to == [rep.email]
    html = str(told.alternatives[0][0])
    assert "evil" not in told.subject + told.body + html
    assert rep.notifications.get().text.startswith("A new lead waits")


def test_nobody_is_told_of_what_was_kept_out(rep: User) -> None:
    form = LeadFormFactory(owner_rule="person", owner=rep, reply_subject="Thanks", reply="Thanks")
    sent(form, reason="trap", email="victim@else.test")
    assert OutboxRow.objects.count() == 0


def test_the_owner_is_told_of_what_was_let_in(rep: User, admin: User) -> None:
    submission = sent(LeadFormFactory(owner_rule="person", owner=rep), reason="trap")
    release_submission(submission, by=admin, now=NOW)
    assert OutboxRow.objects.get().recipient == rep


def test_a_suppressed_address_gets_no_automatic_answer(db: None) -> None:
    Suppression.objects.create(address="greta@holm.test", reason="unsubscribed")
    sent(LeadFormFactory(reply_subject="Thanks", reply="Thanks"), email="Greta@Holm.test")
    deliver_due(seconds=5)
    assert (mail.outbox, OutboxRow.objects.get().state) == ([], "cancelled")


def test_consent_has_versions_that_nothing_alters(db: None) -> None:
    form = LeadFormFactory(consent="First")
    first = publish_consent(form, now=NOW)
    assert publish_consent(form, now=NOW) == first
    form.consent = "Second"
    second = publish_consent(form, now=NOW)
    assert second is not None
    assert second.number == 2
    for alter in (lambda: second.delete(), lambda: form.consents.update(text="Third")):
        with pytest.raises(InternalError), transaction.atomic():
            alter()


def test_old_spam_and_counts_are_forgotten(db: None) -> None:
    form = LeadFormFactory()
    old = sent(form, reason="trap", now=NOW - dt.timedelta(days=91))
    lead = sent(form, now=NOW - dt.timedelta(days=91), message="a real one")
    knock("door", within=dt.timedelta(hours=1), now=NOW - dt.timedelta(days=3))
    assert (forget_kept_out(now=NOW), forget_knocks(now=NOW)) == (1, 1)
    assert list(Submission.objects.all()) == [lead] != [old]


def test_knocks_are_counted_by_stretches(db: None) -> None:
    hour = dt.timedelta(hours=1)
    assert [knock("a", within=hour, now=NOW) for _time in range(3)] == [1, 2, 3]
    assert (knock("b", within=hour, now=NOW), knock("a", within=hour, now=NOW + hour)) == (1, 1)


def test_an_address_is_known_again_and_not_kept() -> None:
    assert mark_of("203.0.113.9") == mark_of("203.0.113.9") != mark_of("203.0.113.10")
    assert mark_of("2001:db8::1") == mark_of("2001:db8::2") != mark_of("2001:db8:1::1")


def test_erasing_a_person_erases_what_they_sent(admin: User) -> None:
    form = LeadFormFactory()
    taken = sent(form, email="greta@holm.test", message="I am Greta Holm")
    kept = sent(form, reason="trap", email="greta@holm.test", message="again, Greta Holm")
    assert taken.lead is not None
    erase_person(person_of(taken.lead), by=admin, now=timezone.now())

    for submission in (taken, kept):
        submission.refresh_from_db()
        said = [submission.answers, submission.fields, submission.email_key, submission.referrer]
        assert "Greta" not in str(said)
        assert "greta" not in str(said)
    assert not Contact.objects.exists()


@pytest.mark.parametrize("name", ["https://evil.test", "see www.evil.test", "Anna\nBcc: all"])
def test_a_name_is_no_place_for_a_link(name: str, db: None) -> None:
    form = LeadFormFactory(slug="contact", least_seconds=0)
    token = Client().get("/f/contact/").context["visitor"]["token"].value()
    answer = Client().post("/f/contact/", {"token": token, "name": name})
    assert (answer.status_code, Submission.objects.filter(form=form).count()) == (422, 0)


def test_the_page_shows_what_waits_and_lets_it_in(manager: User, rep: User, django_assert_max_num_queries: Any) -> None:
    form = LeadFormFactory(team=rep.team)
    for number in range(10):
        SubmissionFactory(form=form, fields={"name": f"Visitor {number}"})
    client = Client()
    client.force_login(manager)
    with django_assert_max_num_queries(20):
        page = client.get("/submissions/")
    assert len(page.context["page"].object_list) == 10
    client.post(f"/submissions/{Submission.objects.latest('pk').pk}/release/")
    assert Lead.objects.get().team == rep.team
