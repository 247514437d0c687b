"""Who may be there already: by e-mail, phone, domain and name, in any spelling and script."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Company, Lead, User
from crm.models.duplicates import Reason, Strength
from crm.models.phones import read_phone
from crm.rules.candidates import MOST_NAMESAKES, Facts, SimilarNames
from crm.rules.duplicates import Suspect, suspects, suspects_of_each
from tests.factories import CompanyFactory, ContactFactory, LeadFactory

pytestmark = pytest.mark.django_db

ONE_NAME = (
    (
        "Сергей Иванов",
        "Sergey Ivanov",
        "Sergei Ivanoff",
        "IVANOV Sergej",
        "Иванов, Сергей Петрович",
        "Sergey P. Ivanov",
    ),
    ("Юлия Щербакова", "Yulia Shcherbakova", "Julia Scherbakova", "Iuliia Shcherbakova"),
    ("Евгений Соловьёв", "Evgeny Solovyov", "Yevgeniy Solovyev", "Evgenii Solovev"),
    ("Александр Чехов", "Alexander Chekhov", "Aleksandr Chekhov"),
    ("Людмила Хрущёва", "Lyudmila Khrushcheva", "Ludmila Khrushchyova"),
    ("Jürgen Müller", "Juergen Mueller", "Jurgen Muller"),
    ("Анна-Мария Ким", "Anna Mariya Kim"),
)
ONE_PHONE = ("+7 (916) 123-45-67", "8 916 123 45 67", "9161234567", "+79161234567", "8(916)1234567 доб. 12")


@pytest.mark.parametrize("names", ONE_NAME, ids=lambda names: names[0])
def test_one_name_in_two_scripts_is_one_name(names: tuple[str, ...]) -> None:
    lead = LeadFactory(name=names[0], company_name="", email="", phone="")
    for name in names:
        assert found(suspects("lead", name=name, seen_by=None)) == [(lead.pk, [Reason.NAME], Strength.POSSIBLE)], name


@pytest.mark.parametrize("other", ["Сергей Петров", "Ирина Иванова", "Сергей"])
def test_another_name_is_nobody(other: str) -> None:
    LeadFactory(name="Сергей Иванов", company_name="", email="", phone="")
    assert suspects("lead", name=other, seen_by=None) == []


@pytest.mark.parametrize("written", ONE_PHONE)
def test_one_phone_however_it_is_written(written: str) -> None:
    lead = LeadFactory(name="Olga", email="", phone=ONE_PHONE[0])
    suspect = suspects("lead", name="Ольга", phone=written, seen_by=None)
    assert found(suspect) == [(lead.pk, [Reason.PHONE, Reason.NAME], Strength.CERTAIN)]


def test_the_last_digits_alone_make_no_phone() -> None:
    LeadFactory(phone="+7 495 123-45-67")
    assert suspects("lead", phone="+7 916 123-45-67", seen_by=None) == []


def test_two_extensions_of_a_switchboard_are_two_people() -> None:
    LeadFactory(phone="+1 650 253 0000 ext. 12")
    assert suspects("lead", phone="+1 650 253 0000 ext. 13", seen_by=None) == []
    assert len(suspects("lead", phone="(650) 253-0000", seen_by=None)) == 1  # a number of a country that is not ours


@pytest.mark.parametrize(
    ("written", "e164", "extension"),
    [
        ("8 (916) 123-45-67", "+79161234567", ""),
        ("+44 20 7946 0958", "+442079460958", ""),
        ("+7 495 123-45-67 доб. 8", "+74951234567", "8"),
        ("12", None, None),
        ("", None, None),
        ("call me", None, None),
    ],
)
def test_phones_are_read_as_e164(written: str, e164: str | None, extension: str | None) -> None:
    phone = read_phone(written)
    assert (phone.e164, phone.extension) == (e164, extension) if phone else e164 is None


def test_an_email_is_one_in_any_case_but_not_with_another_plus() -> None:
    lead = LeadFactory(name="Ann Lee", email="Ann.Lee@Example.TEST")
    assert found(suspects("lead", name="A Lee", email=" ann.lee@example.test", seen_by=None))[0][0] == lead.pk
    assert suspects("lead", email="ann.lee+news@example.test", seen_by=None) == []


def test_one_address_of_two_people_is_less_sure() -> None:
    LeadFactory(name="Ann Lee", email="office@example.test")
    [suspect] = suspects("lead", name="Boris Orlov", email="office@example.test", seen_by=None)
    assert suspect.strength == Strength.LIKELY


def test_a_similar_name_counts_in_one_company() -> None:
    lead = LeadFactory(name="Sergey Ivanov", company_name="ООО «Ромашка»", email="", phone="")
    contact = ContactFactory(name="Sergey Ivanov", company=CompanyFactory(name="Romashka LLC"), email="", phone="")
    for kind, record in (("lead", lead), ("contact", contact)):
        similar = suspects(kind, name="Sergy Ivanov", company="Romashka", seen_by=None)
        assert found(similar) == [(record.pk, [Reason.SIMILAR_NAME, Reason.COMPANY], Strength.POSSIBLE)]
        same = suspects(kind, name="Сергей Иванов", company="Ромашка", seen_by=None)
        assert found(same) == [(record.pk, [Reason.NAME, Reason.COMPANY], Strength.LIKELY)]
        assert suspects(kind, name="Sergey Ivanov", company="Vasilek", seen_by=None) == []


def test_companies_by_domain_and_by_name_without_legal_form() -> None:
    company = CompanyFactory(name="Газпром ПАО", domain="https://www.Gazprom.test/about")
    assert found(suspects("company", name="OOO Gazprom", seen_by=None)) == [
        (company.pk, [Reason.NAME], Strength.LIKELY)
    ]
    assert found(suspects("company", name="Holding", domain="gazprom.test", seen_by=None)) == [
        (company.pk, [Reason.DOMAIN], Strength.LIKELY)
    ]


def test_a_mistyped_name_is_noticed_where_one_record_is_asked_for() -> None:
    contact = ContactFactory(name="Alexandra Komarova", email="", phone="")
    company = CompanyFactory(name="Severnaya Verf", domain="")
    LeadFactory(name="Alexander Orlov")
    assert found(suspects("contact", name="Александра Комарва", seen_by=None))[0][0] == contact.pk
    assert found(suspects("company", name="ПАО Северная верфь", seen_by=None)) == [
        (company.pk, [Reason.NAME], Strength.LIKELY)
    ]
    assert found(suspects("company", name="Severnay Verff", seen_by=None)) == [
        (company.pk, [Reason.SIMILAR_NAME], Strength.POSSIBLE)
    ]
    assert suspects("lead", name="Alexandra Komarova", seen_by=None) == []


def test_what_one_may_not_see_is_not_said(rep: User, outsider: User) -> None:
    lead = LeadFactory(email="ann@example.test", owner=rep)
    assert len(suspects("lead", email="ann@example.test", seen_by=rep)) == 1
    assert suspects("lead", email="ann@example.test", seen_by=outsider) == []
    assert suspects("lead", email="ann@example.test", seen_by=rep, exclude=[lead.pk]) == []


def test_a_name_that_many_bear_tells_nothing() -> None:
    for _number in range(MOST_NAMESAKES + 1):
        LeadFactory(name="Ivan Smirnov", company_name="", email="", phone="")
    assert suspects("lead", name="Иван Смирнов", seen_by=None) == []


def test_bulk_and_raw_writes_are_found() -> None:
    [lead] = Lead.objects.bulk_create([Lead(name="Anna Kim", email="OLD@example.test")])
    Lead.objects.filter(pk=lead.pk).update(email="NEW@example.test", phone="89161234567")
    assert len(suspects("lead", email="new@example.test", seen_by=None)) == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crm_lead SET phone = '+7 495 765-43-21' WHERE id = %s", [lead.pk])
    assert len(suspects("lead", phone="8 495 7654321", seen_by=None)) == 1
    assert suspects("lead", phone="89161234567", seen_by=None) == []


def test_many_rows_cost_as_many_queries_as_one(rep: User) -> None:
    leads = [LeadFactory(name=f"Person {number}", email=f"p{number}@example.test", owner=rep) for number in range(30)]
    rows = [Facts(name="Somebody", email=lead.email.upper()) for lead in leads] + [Facts(), Facts(name="\0", phone="x")]
    assert rep.visible_owner_ids | rep.own_team_ids  # read once a request
    with CaptureQueriesContext(
        connection,
    ) as queries:
        each = suspects_of_each("lead", rows, seen_by=rep)
    assert len(queries) == 2
    assert [[suspect.record for suspect in one] for one in each] == [[lead] for lead in leads] + [[], []]


@pytest.mark.parametrize("kind", ["lead", "contact"])
def test_a_file_finds_namesakes_at_a_company_but_nobody_merely_alike(kind: str) -> None:
    """Of a name that a crowd bears only the one at the same company is the same."""
    for number in range(MOST_NAMESAKES + 1):
        LeadFactory(name="Anna Kim", company_name=f"Firm {number}", email="", phone="")
        ContactFactory(name="Anna Kim", company=CompanyFactory(name=f"Firm {number}"), email="", phone="")
    LeadFactory(name="Anna Kimura", company_name="Firm 7", email="", phone="")
    ContactFactory(name="Anna Kimura", company=Company.objects.get(name="Firm 7"), email="", phone="")
    rows = [Facts(name="Anna Kim", company="Firm 7"), Facts(name="Anna Kimur", company="Firm 7")]
    for similar, alike in ((SimilarNames.NOWHERE, []), (SimilarNames.AMONG_COLLEAGUES, [Strength.POSSIBLE] * 2)):
        same, merely_alike = suspects_of_each(kind, rows, seen_by=None, similar=similar)
        assert [str(suspect.record) for suspect in same if suspect.is_same] == ["Anna Kim"]
        assert [suspect.strength for suspect in merely_alike] == alike


def found(listed: list[Suspect]) -> list[tuple[int, list[Reason], Strength]]:
    """What matters of suspects: whom, why, how sure."""
    return [(suspect.record.pk, list(suspect.reasons), suspect.strength) for suspect in listed]
