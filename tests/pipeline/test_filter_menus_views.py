"""The menu of a filter whose choices are rows: read when it is opened, and of what its reader may see."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from crm.models import User
from pipeline.models import Pipeline

pytestmark = pytest.mark.django_db

PAGES = ["/board/sales/", "/deals/", "/companies/", "/contacts/", "/leads/"]


def menu(web: Client, page: str, name: str, **query: str) -> HttpResponse:
    headers = {"HX-Request": "true", "HX-Target": f"menu-{name}"}
    answer: Any = web.get(page, {"menu": name, **query}, headers=headers)
    return answer


@pytest.fixture
def web(client: Client, rep: User, colleague: User, outsider: User, sales: Pipeline) -> Client:
    client.force_login(rep)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_menu_offers_whom_its_reader_sees(web: Client, page: str) -> None:
    whole = web.get(page)
    assert whole.status_code == 200
    assert "Carl Colleague</option>" not in whole.text

    answer = menu(web, page, "owner", q="anna")
    assert answer.status_code == 200
    assert "Carl Colleague</option>" in answer.text
    assert "Otto Outsider" not in answer.text
    assert '<input type="hidden" name="q" value="anna">' in answer.text
    assert 'name="menu"' not in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_without_script_the_page_comes_with_the_menu_open(web: Client, page: str) -> None:
    answer = web.get(page, {"menu": "owner"})
    assert answer.status_code == 200
    assert '<details class="menu" data-menu open>' in answer.text
    assert "Carl Colleague</option>" in answer.text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["no", "q", "state"])
def test_a_menu_that_does_not_exist_is_404(web: Client, page: str, name: str) -> None:
    assert menu(web, page, name).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_a_menu_among_filters_that_name_nothing_known_is_404(web: Client, page: str, outsider: User) -> None:
    assert menu(web, page, "owner", owner=str(outsider.pk)).status_code == 404
