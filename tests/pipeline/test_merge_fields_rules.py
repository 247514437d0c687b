"""What an e-mail says of a deal: in the recipient's language, and nothing where there is nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import User
from crm.rules.emails import Letter, preview_email
from crm.rules.merge_fields import MissingValue
from tests.factories import ContactFactory, DealFactory, LeadFactory, sales_pipeline

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Big {{ x }}: €7,350,000, March 5, 2027"), ("ru", "Big {{ x }}: 7 350 000 €, 5 марта 2027 г.")],
)
def test_a_deal_is_written_as_the_recipient_reads(rep: User, language: str, said: str) -> None:
    sales_pipeline()
    anna = ContactFactory(owner=rep, name="Anna", email="anna@client.test")
    day = dt.date(2027, 3, 5)
    deal = DealFactory(
        owner=rep, contact=anna, name="Big {{ x }}", amount=7_350_000, currency="EUR", expected_close_on=day
    )
    letter = Letter("{{ deal.name }}: {{ deal.amount }}, {{ deal.expected_close }}", "<p>x</p>", language=language)
    found = preview_email(letter, about=deal, to=anna, by=rep).subject_line
    assert found.replace("\xa0", " ").replace("\u202f", " ") == said


def test_of_another_record_there_is_no_deal_to_speak_of(rep: User) -> None:
    lead = LeadFactory(owner=rep, email="a@client.test")
    with pytest.raises(MissingValue, match="Deal"):
        preview_email(Letter("{{ deal.name }}", "<p>x</p>"), about=lead, to=lead, by=rep)
