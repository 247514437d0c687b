"""The ledger of what was sent tells our own answers in the reader's language."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import OutboxRow, User

pytestmark = pytest.mark.django_db


def test_the_ledger_speaks_russian_and_quotes_the_mail_server(client: Client, admin: User) -> None:
    admin.language = "ru"
    admin.save(update_fields=["language"])
    client.force_login(admin)
    for answer in ("in the page", "550 no such user"):
        OutboxRow.objects.create(kind="notice", dedupe_key=answer, due_at=timezone.now(), answer=answer)
    page = client.get(reverse("outbox_list")).content.decode()
    assert ">на странице</td>" in page
    assert "550 no such user</td>" in page
