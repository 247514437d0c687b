"""What stands around every page, in a real browser: every place is reached at every width, in the longer language."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm.models import User
from tests.e2e.conftest import LogIn
from tests.factories import sales_pipeline


@pytest.mark.parametrize("width", [1440, 1366, 1280, 1180, 1024])
def test_no_place_lies_under_the_search(rep: User, log_in: LogIn, width: int) -> None:
    sales_pipeline()
    rep.language = "ru"
    rep.save()
    page = log_in(rep, viewport={"width": width, "height": 800})
    page.goto("/deals/")
    places, search = page.locator(".places .place"), page.locator(".top-bar .search")
    expect(places.last).to_have_text("Метрики")
    last, field = places.last.bounding_box(), search.bounding_box()
    assert last is not None
    assert field is not None
    assert last["x"] + last["width"] <= field["x"]
