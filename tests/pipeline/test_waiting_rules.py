"""Who waits for whom: naming a record waits for nobody who changes it, so that two never wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm.models import Company, User
from crm.rules.companies import edit_record
from crm.rules.follow_ups import bin_follow_ups
from crm.rules.merged_values import fingerprint
from crm.rules.merging import merge_records
from pipeline.models import Deal
from pipeline.rules.deals import edit_deal
from tests.factories import CompanyFactory, DealFactory, FollowUpFactory, UserFactory

Work = Callable[[Company, User], object]


def _correct(company: Company, owner: User) -> object:
    return edit_record(company, fields={"country": "Chile"}, by=owner)


def _merge(company: Company, owner: User) -> object:
    both = [company, CompanyFactory(owner=owner)]
    seen = {one.pk: fingerprint(one) for one in both}
    return merge_records(kind="company", seen=seen, chosen={}, by=owner, now=timezone.now())


def _plan(company: Company, owner: User) -> object:
    FollowUpFactory(subject=company, assignee=owner)
    return bin_follow_ups(company, now=timezone.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("work", [_correct, _merge, _plan])
def test_a_deal_names_a_company_that_somebody_is_at_work_on(work: Work) -> None:
    """Whoever is at work on the company may want the deal next; the deal must not wait for them with its lock held."""
    owner = UserFactory()
    company, deal = CompanyFactory(owner=owner), DealFactory(owner=owner)

    def name_it() -> None:
        try:
            edit_deal(deal, fields={"company": company}, seen_version=deal.version, by=owner)
        finally:
            connection.close()

    editor = threading.Thread(target=name_it)
    with transaction.atomic():
        work(company, owner)
        editor.start()
        editor.join(timeout=20)
        assert not editor.is_alive(), "it waits for the end of this transaction"
    assert Deal.objects.get().company_id == company.pk
