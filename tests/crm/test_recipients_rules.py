"""What is known of whom one writes to: their morning, their language; and what may be attached."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Email, Lead
from crm.rules.attached_files import LONGEST_NAME, FileRefused, TooLarge, read_file, safe_name
from crm.rules.recipients import country_of, language_of, morning_of
from tests.factories import CompanyFactory, ContactFactory, LeadFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("phone", "now", "morning"),
    [
        # Berlin, a Monday at five in the morning there: the same day, at nine.
        ("+4930123456", "2026-06-01T03:00+00:00", "2026-06-01T07:00+00:00"),
        # Berlin, at ten: the next day.
        ("+4930123456", "2026-06-01T08:00+00:00", "2026-06-02T07:00+00:00"),
        # Friday evening: Monday, which is a holiday there (Whit Monday): Tuesday.
        ("+4930123456", "2026-05-22T16:00+00:00", "2026-05-26T07:00+00:00"),
        # New York, across the change of clocks.
        ("+12125550123", "2026-03-06T20:00+00:00", "2026-03-09T13:00+00:00"),
        # Moscow: the second of January is still a holiday, and so it goes on for days.
        ("+79161234567", "2026-01-01T20:00+00:00", "2026-01-12T06:00+00:00"),
        # Kathmandu is a quarter of an hour off.
        ("+97714123456", "2026-06-01T03:00+00:00", "2026-06-01T03:15+00:00"),
    ],
)
def test_the_morning_is_the_recipients(phone: str, now: str, morning: str) -> None:
    person = Lead(name="Anna", phone=phone)
    assert morning_of(person, now=dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(morning)


def test_of_whom_nothing_is_known_the_organisations_morning_counts(settings: Any) -> None:
    settings.PHONE_REGION = "US"
    now = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
    assert morning_of(Lead(name="Anna"), now=now) == dt.datetime(2026, 6, 2, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(("country", "code"), [("Germany", "DE"), ("Германия", "DE"), ("de", "DE"), ("Narnia", "")])
def test_the_country_of_the_company_counts_where_there_is_no_phone(country: str, code: str) -> None:
    assert country_of(ContactFactory(company=CompanyFactory(country=country))) == code


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ({"name": "Анна"}, "ru"),
        ({"name": "Anna", "phone": "+79161234567"}, "ru"),
        ({"name": "Anna", "email": "a@firma.ru"}, "ru"),
        ({"name": "Anna", "phone": "+4930123456"}, "en"),
    ],
)
def test_a_letter_is_offered_in_the_recipients_language(fields: dict[str, str], language: str) -> None:
    assert language_of(LeadFactory(**fields)) == language


# --- Files ------------------------------------------------------------------------------------------------------------


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.pdf", b"%PDF-1.7", "application/pdf"),
        ("a.PNG", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("a.csv", "Имя;Сумма".encode("cp1251"), "text/csv"),
        ("a.docx", zipped("[Content_Types].xml", "word/document.xml"), "wordprocessingml"),
        ("a.zip", zipped("b.txt"), "application/zip"),
        ("page.html", b"<script>", "octet-stream"),
        ("picture.svg", b"<svg onload=x>", "octet-stream"),
        ("a.bin", b"\x00\x01", "octet-stream"),
    ],
)
def test_the_type_is_found_by_looking(name: str, content: bytes, kind: str) -> None:
    assert kind in read_file(name, content).content_type


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("price.pdf", b"MZ\x90\x00"),
        ("price.pdf", b"<html>"),
        ("price.pdf.exe", b"hello"),
        ("run.JS", b"alert(1)"),
        ("a.docx", zipped("evil.txt")),
        ("a.jpg", b"%PDF-1.7"),
    ],
)
def test_what_runs_or_deceives_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(FileRefused):
        read_file(name, content)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_file("a.txt", b"x" * (10 * 1024 * 1024 + 1))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\a.pdf", "a.pdf"),
        ("evil\u202efdp.exe", "evilfdp.exe"),
        ("a\r\nb\x00.pdf", "ab.pdf"),
        ("..", "file"),
        ("", "file"),
        ('a"b<c>.pdf', "a_b_c_.pdf"),
    ],
)
def test_a_name_leads_nowhere(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_ending() -> None:
    name = safe_name("x" * 5_000 + ".pdf")
    assert len(name) <= LONGEST_NAME
    assert name.endswith(".pdf")


# --- The allowance ----------------------------------------------------------------------------------------------------


def test_the_allowance_of_a_domain_is_read_from_its_index() -> None:
    at = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    rows = [Email(direction="out", to_address=f"A{number}@Client{number % 500}.test", at=at) for number in range(5_000)]
    Email.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_email")
    today = Email.objects.outbound().filter(at__gte=at, to_domain="client7.test")
    with CaptureQueriesContext(connection):
        plan = today.explain()
    assert today.count() == 10
    assert "crm_email_sent_to" in plan
