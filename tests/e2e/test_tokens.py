"""API tokens in a person's settings, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from crm.models import User
from tests.e2e.conftest import DESKTOP, PHONE, LogIn


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_token_is_made_used_and_revoked(log_in: LogIn, rep: User, live_server: LiveServer, viewport: object) -> None:
    page = log_in(rep, viewport=viewport)
    page.goto("/settings/")
    page.get_by_role("link", name="New token").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("What it is for").fill("Accounting")
    dialog.get_by_label("Read and write").check()
    dialog.get_by_role("button", name="Make the token").click()
    field = dialog.get_by_label("Token")
    expect(field).to_be_focused()
    secret = field.input_value()
    bearer = {"Authorization": f"Bearer {secret}"}
    me = f"{live_server.url}/api/v1/me"

    assert page.request.get(me, headers=bearer).json()["email"] == rep.email
    dialog.get_by_role("button", name="I have it").click()
    expect(page.locator("#tokens")).to_contain_text("Accounting")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke Accounting").click()
    expect(page.locator("#tokens")).to_contain_text("revoked")
    assert page.request.get(me, headers=bearer).status == 401
