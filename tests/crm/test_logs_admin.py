"""The audit log and the outbox in the admin: in the reader's words."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import AuditEntry, Lead, OutboxRow, User
from crm.rules.audit import acting, coming_through
from crm.templatetags.own_words import in_words
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db


def test_notes_and_channels_are_words(client: Client, admin: User) -> None:
    lead = LeadFactory()
    with coming_through("job"), acting(None, note="came back from nurturing"):
        Lead.objects.filter(pk=lead.pk).update(status="working")
    client.force_login(admin)

    text = client.get(reverse("admin:crm_auditentry_changelist")).text
    entry = AuditEntry.objects.about("lead", lead.pk)[0]
    page = client.get(reverse("admin:crm_auditentry_change", args=[entry.pk])).text

    for shown in (text, page):
        assert "came back on its day" in shown
        assert "came back from nurturing" not in shown
        assert "a job" in shown


def test_answers_are_words_and_a_servers_own_stay(client: Client, admin: User) -> None:
    row = OutboxRow.objects.create(kind="reminder", dedupe_key="k", answer="moved on, handed over or gone")
    client.force_login(admin)

    assert "moved on, handed over or gone" in client.get(reverse("admin:crm_outboxrow_change", args=[row.pk])).text
    assert in_words("cancelled by Ada") == "cancelled by Ada"
    assert in_words("550 no such user") == "550 no such user"
