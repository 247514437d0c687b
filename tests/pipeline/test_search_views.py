"""Search: typos, both scripts, and never more than one may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import User
from pipeline.models import Stage
from tests.factories import CompanyFactory, ContactFactory, DealFactory, LeadFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def records(rep: User, stages: dict[str, Stage]) -> None:
    company = CompanyFactory(name="Halden Dairy", owner=rep)
    ContactFactory(name="Ирина Ким", phone="+45 621 40 118", owner=rep, company=company)
    DealFactory(name="Pasteuriser P-500", owner=rep, company=company)
    DealFactory(name="Пастеризатор Ёлка", owner=rep)
    LeadFactory(name="Daria Fomina", email="daria@grain.example", owner=rep)


def found(client: Client, text: str, **headers: Any) -> str:
    return client.get(reverse("search"), {"q": text}, **headers).content.decode()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pasteuriser", "Pasteuriser P-500"),
        ("PASTURISER", "Pasteuriser P-500"),
        ("p-500 halden", "Pasteuriser P-500"),
        ("пастеризатор елка", "Пастеризатор Ёлка"),
        ("пастирезатор", "Пастеризатор Ёлка"),
        ("Hadlen", "Halden Dairy"),
        ("ирина", "Ирина Ким"),
        ("621 40", "Ирина Ким"),
        ("grain.example", "Daria Fomina"),
        ("Fomnia", "Daria Fomina"),
        ("Irina Kim", "Ирина Ким"),
        ("Дарья Фомина", "Daria Fomina"),
        ("Дар", "Daria Fomina"),
        ("Халден", "Halden Dairy"),
        ("Pasterizator", "Пастеризатор Ёлка"),
        ("+45 62140118", "Ирина Ким"),
        ("62140118", "Ирина Ким"),
        ("062-140-118", "Ирина Ким"),
    ],
)
def test_finds(client: Client, rep: User, text: str, name: str) -> None:
    client.force_login(rep)

    assert name in found(client, text)
    assert name in found(client, text, headers=HX)


def test_menu_is_a_part_and_empty_without_a_question(client: Client, rep: User) -> None:
    client.force_login(rep)

    assert "<html" not in found(client, "halden", headers=HX)
    assert found(client, "", headers=HX).strip() == ""
    assert "Type at least two letters" in found(client, "h")
    assert "Nothing found" in found(client, "qqqqqq", headers=HX)


@pytest.mark.parametrize("text", ["%", "_____", "<script>", "'; DROP TABLE", "x" * 10_000, "😀😀", "\\", "=cmd|"])
def test_odd_questions_are_only_questions(client: Client, rep: User, text: str) -> None:
    client.force_login(rep)

    answer = client.get(reverse("search"), {"q": text})

    assert answer.status_code == 200
    assert "Pasteuriser" not in answer.content.decode()
    assert "<script>" not in answer.content.decode().split("<main")[1]


def test_outsider_finds_nothing(client: Client, outsider: User) -> None:
    client.force_login(outsider)

    for text in ("pasteuriser", "pasturiser", "halden", "ирина", "daria", "p-500 halden"):
        page = found(client, text).split("search-page")[1]
        assert "Nothing found for" in page
        assert "search-hit" not in found(client, text, headers=HX)


def test_search_asks_a_few_questions_of_the_database(
    client: Client, rep: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(rep)

    with django_assert_max_num_queries(26):
        found(client, "halden", headers=HX)
