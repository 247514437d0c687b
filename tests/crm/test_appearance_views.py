"""Choosing theme and language, and what the page does with them."""

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import User


@pytest.fixture
def browser(client: Client, viewer: User) -> Client:
    """Logged in as a viewer: how one likes the page is one's own, also for who may change nothing else."""
    client.force_login(viewer)
    return client


def test_theme_is_kept_for_the_person_and_for_the_login_page(browser: Client, viewer: User) -> None:
    response = browser.post(reverse("theme_choose"), {"theme": "dark", "next": "/leads/?page=2"})

    viewer.refresh_from_db()
    assert viewer.theme == "dark"
    assert (response.status_code, response["Location"]) == (302, "/leads/?page=2")
    assert browser.cookies["theme"].value == "dark"


def test_unknown_theme_changes_nothing(browser: Client, viewer: User) -> None:
    assert browser.post(reverse("theme_choose"), {"theme": "neon"}).status_code == 400
    viewer.refresh_from_db()
    assert viewer.theme == "auto"


@pytest.mark.parametrize("page", ["https://evil.test/", "no-page"])
def test_language_is_kept_and_another_site_is_no_way_back(browser: Client, viewer: User, page: str) -> None:
    response = browser.post(reverse("language_choose"), {"language": "ru", "next": page})

    viewer.refresh_from_db()
    assert viewer.language == "ru"
    assert response["Location"] == "/"


@pytest.mark.parametrize("name", ["theme_choose", "language_choose"])
def test_reading_chooses_nothing(browser: Client, name: str) -> None:
    assert browser.get(reverse(name)).status_code == 405


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_login_page_wears_the_theme_the_browser_remembers(client: Client, db: None, theme: str) -> None:
    client.cookies["theme"] = theme

    assert f'data-bs-theme="{theme}"' in client.get(reverse("account_login")).content.decode()


def test_a_forged_theme_cookie_is_not_written_into_the_page(client: Client, db: None) -> None:
    client.cookies["theme"] = "'><script>"

    assert b'data-bs-theme="auto"' in client.get(reverse("account_login")).content


def test_login_page_changes_its_language_for_who_is_not_known_yet(client: Client, db: None) -> None:
    response = client.post(reverse("set_language"), {"language": "ru", "next": reverse("account_login")})

    assert response["Location"] == reverse("account_login")
    assert '<html lang="ru"' in client.get(reverse("account_login")).content.decode()
