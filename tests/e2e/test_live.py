"""What happens elsewhere shows in an open page at once."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from crm.models import Notification, User
from tests.e2e.conftest import Complaints, session_of
from tests.factories import LeadFactory
from tests.processes import WebServer


def test_a_notice_appears_in_two_windows_without_a_reload(
    browser: Browser, complaints: Complaints, web_server: WebServer, rep: User
) -> None:
    context = browser.new_context(base_url=web_server.url)
    context.add_cookies([{"name": "sessionid", "value": session_of(rep), "url": web_server.url}])
    context.on("page", complaints.listen)
    first, second = context.new_page(), context.new_page()
    first.goto("/settings/")
    second.goto("/notifications/")
    expect(second.locator("#bell .count")).to_have_count(0)

    Notification.objects.create(
        user=rep, subject=LeadFactory(owner=rep), text="Call Daria", kind="reminder", dedupe_key="test:live"
    )

    expect(second.locator("#bell .count")).to_have_text("1", timeout=15_000)
    expect(first.locator("#bell .count")).to_have_text("1", timeout=15_000)
    expect(second.get_by_text("Call Daria")).to_be_visible()
    context.close()
