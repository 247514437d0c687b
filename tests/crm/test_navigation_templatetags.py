"""The places in the top bar, and the theme of the page."""

from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from crm.templatetags import navigation


@pytest.mark.parametrize(
    ("path", "is_here"), [("/leads/", True), ("/leads/7/", True), ("/", False), ("/deals/", False)]
)
def test_a_place_is_marked_on_its_own_pages_alone(rf: RequestFactory, path: str, is_here: bool) -> None:
    place = navigation.place({"request": rf.get(path)}, "lead_list", "inbox", "Leads", 3)

    assert ('aria-current="page"' in place) is is_here
    assert '<span class="count">3</span>' in place


def test_a_place_that_does_not_exist_is_not_linked(rf: RequestFactory) -> None:
    assert navigation.place({"request": rf.get("/")}, "no_such_place", "inbox", "Nowhere") == ""


@pytest.mark.parametrize(
    ("chosen", "theme"), [("dark", "dark"), ("light", "light"), ("auto", "auto"), ("neon", "auto")]
)
def test_the_persons_own_theme_wins_over_the_browsers(rf: RequestFactory, chosen: str, theme: str) -> None:
    request = rf.get("/")
    request.COOKIES["theme"] = "light" if chosen != "light" else "dark"
    assert navigation.theme({"request": request, "user": SimpleNamespace(theme=chosen)}) == theme


def test_without_a_request_the_device_decides() -> None:
    assert navigation.theme({}) == "auto"
