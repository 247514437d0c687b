"""The bin: everything that can be taken back is found there, and the bin is found."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.models import Activity, DisqualifyReason, FollowUp, Lead, Recoverable, SavedView, User
from crm.rules.activities import delete_activity
from crm.rules.follow_ups import delete_follow_up
from crm.rules.leads import delete_lead, disqualify_lead
from pipeline.models import Pipeline
from pipeline.views.bins import KINDS
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    ContractFactory,
    DealFactory,
    FollowUpFactory,
    LeadFactory,
)
from tests.factories.mail import MailboxFactory
from tests.factories.segments import SegmentFactory
from tests.factories.sequences import EmailTemplateFactory, SequenceFactory

pytestmark = pytest.mark.django_db


def delete_one_of_each(owner: User) -> dict[type[Recoverable], Any]:
    """One row of each kind, in the bin; each is called by its kind."""
    lead = LeadFactory(owner=owner)
    rows = [
        LeadFactory(name="Binned Lead", owner=owner, company_name="Lead & Sons"),
        DealFactory(name="Binned Deal", owner=owner),
        CompanyFactory(name="Binned Company", owner=owner),
        ContactFactory(name="Binned Contact", owner=owner),
        ContractFactory(company=CompanyFactory(name="Binned Contract", owner=owner), owner=owner),
        ActivityFactory(subject=lead, author=owner, body="Binned Activity"),
        FollowUpFactory(subject=lead, assignee=owner, title="Binned FollowUp"),
        SegmentFactory(name="Binned Segment", owner=owner),
        SavedView.objects.create(name="Binned SavedView", page="deals", owner=owner),
        EmailTemplateFactory(name="Binned EmailTemplate", owner=owner),
        SequenceFactory(name="Binned Sequence", owner=owner),
        MailboxFactory(name="Binned Mailbox", owner=owner),
    ]
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(deleted_at=timezone.now())
    return {type(row): row for row in rows}


def test_whatever_can_be_taken_back_is_listed() -> None:
    recoverable = {model for model in apps.get_models() if issubclass(model, Recoverable)}
    assert {kind.model for kind in KINDS} == recoverable


def test_one_of_each_kind_is_shown_and_comes_back(client: Client, rep: User, sales: Pipeline) -> None:
    rows = delete_one_of_each(rep)
    assert set(rows) == {kind.model for kind in KINDS}
    client.force_login(rep)
    page = client.get(reverse("bin_list")).content.decode()
    for kind in KINDS:
        assert f"Binned {kind.model.__name__}" in page
        url = reverse(kind.restore, args=[rows[kind.model].pk])
        assert f'action="{url}"' in page
        assert client.post(url).status_code == 302
        assert kind.model._default_manager.get(pk=rows[kind.model].pk).deleted_at is None
    assert client.get(reverse("bin_list")).context["items"] == []


def test_what_went_with_its_record_comes_back_with_it(client: Client, rep: User, sales: Pipeline) -> None:
    now = timezone.now()
    binned, closed, kept = LeadFactory.create_batch(3, owner=rep)
    for lead in (binned, closed, kept):
        FollowUpFactory(subject=lead, assignee=rep, title=f"Call {lead.pk}")
        ActivityFactory(subject=lead, author=rep, body=f"Talked {lead.pk}")
    delete_activity(binned.activities.get(), by=rep, now=now)
    delete_lead(binned, seen_version=binned.version, by=rep, now=now)
    reason = DisqualifyReason.objects.create(name="Out of region")
    disqualify_lead(closed, reason=reason, seen_version=closed.version, by=rep, now=now)
    delete_follow_up(FollowUp.objects.about(kept).get(), by=rep, now=now)
    client.force_login(rep)
    items = client.get(reverse("bin_list")).context["items"]
    assert {item.title for item in items} == {str(binned), f"Call {kept.pk}"}


def test_own_note_on_a_record_that_is_not_theirs_any_more_is_not_offered(
    client: Client, rep: User, outsider: User
) -> None:
    note = ActivityFactory(subject=LeadFactory(owner=outsider), author=rep, body="Was mine")
    Activity.objects.filter(pk=note.pk).update(deleted_at=timezone.now())
    client.force_login(rep)
    assert client.get(reverse("bin_list")).context["items"] == []


def test_bin_of_others_is_theirs(client: Client, rep: User, colleague: User, sales: Pipeline) -> None:
    delete_one_of_each(rep)
    client.force_login(colleague)
    assert "Binned" not in client.get(reverse("bin_list")).content.decode()


def test_bin_costs_the_same_however_full(client: Client, rep: User, sales: Pipeline) -> None:
    def count() -> int:
        delete_one_of_each(rep)
        delete_one_of_each(rep)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("bin_list")).status_code == 200
        return len(queries)

    client.force_login(rep)
    count()
    few, many = count(), count()
    assert few == many


def test_menu_leads_writers_to_the_bin(client: Client, rep: User, viewer: User) -> None:
    for person, is_shown in ((rep, True), (viewer, False)):
        client.force_login(person)
        assert (f'href="{reverse("bin_list")}"' in client.get("/").content.decode()) is is_shown


def test_erased_records_are_not_offered(client: Client, rep: User) -> None:
    lead = LeadFactory(owner=rep)
    Lead.objects.filter(pk=lead.pk).update(deleted_at=timezone.now(), erased_at=timezone.now())
    client.force_login(rep)
    assert client.get(reverse("bin_list")).context["items"] == []
