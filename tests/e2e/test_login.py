"""Logging in by the form."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from crm.models import User
from tests.factories.crm import PASSWORD


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_login_form_leads_to_the_page_that_was_asked_for(
    browser: Browser, live_server: LiveServer, rep: User, script: bool
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=script)
    page = context.new_page()
    page.goto("/deals/")
    page.locator("input[name=login]").fill(rep.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator(
        "form:has(input[name=password]) button[type=submit], form:has(input[name=password]) button"
    ).first.click()

    expect(page).to_have_url(f"{live_server.url}/deals/")
    expect(page.locator("h1")).to_be_visible()
    context.close()
