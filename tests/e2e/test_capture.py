"""Lead forms on a page of somebody else's, whose content policy allows nothing but what our snippets ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from crm.models import Lead, LeadForm, Submission
from tests.e2e.conftest import PHONE, Complaints
from tests.factories import LeadFormFactory

Site = Callable[..., str]


@pytest.fixture
def site() -> Iterator[Site]:
    """Call with a page's body and policy for the address of a foreign site that serves it, and /thanks."""
    served: dict[str, str] = {}

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = "<h1>Thanks from the shop</h1>" if self.path.startswith("/thanks") else served["body"]
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", served["policy"])
            self.end_headers()
            self.wfile.write(f"<!doctype html><title>Shop</title>{page}".encode())

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    Thread(target=server.serve_forever, daemon=True).start()

    def serve(body: str = "", *, allow: str = "") -> str:
        served.update(body=body, policy=f"default-src 'none'; base-uri 'none'; {allow}")
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    server.shutdown()
    server.server_close()


@pytest.fixture
def visitor(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """A stranger's browser."""
    complaints.expected = ["favicon.ico"]  # Chromium asks every site for it, and the policy forbids it
    context = browser.new_context(locale="en", reduced_motion="reduce")
    context.on("page", complaints.listen)
    context.set_default_timeout(8_000)
    yield context.new_page()
    context.close()


def form_for(*sites: str, **fields: Any) -> LeadForm:
    return LeadFormFactory(slug="contact", name="Contact us", least_seconds=0, sites=list(sites), **fields)


def fill_in(place: Any, name: str = "Anna Berg") -> None:
    place.get_by_label("Name").fill(name)
    place.get_by_label("E-mail").fill("anna@berg.test")
    place.get_by_role("button", name="Send").click()


def test_the_script_puts_a_form_into_a_strict_page(visitor: Page, site: Site, live_server: LiveServer) -> None:
    home = live_server.url
    shop = site(
        f'<h1>Shop</h1><div data-voronka-form="contact"></div><script src="{home}/f/embed.js" async></script>',
        allow=f"script-src {home}; frame-src {home}",
    )
    form_for(shop)
    visitor.goto(f"{shop}/offer?utm_source=ads&utm_campaign=May#part")
    frame = visitor.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Contact us")).to_be_visible()
    whole = "html => new Promise((done) => { const look = () => html.scrollHeight <= innerHeight + 1 ? done(true) "
    whole += ": setTimeout(look, 50); look(); setTimeout(() => done(false), 3000); })"
    assert frame.locator("html").evaluate(whole), "the frame is as high as the form"
    fill_in(frame)

    expect(frame.get_by_text("Thank you!")).to_be_visible()
    submission = Submission.objects.get()
    assert (submission.state, submission.utm) == ("taken", {"source": "ads", "campaign": "May"})
    assert submission.page == f"{shop}/offer"
    assert Lead.objects.get().name == "Anna Berg"


def test_a_framed_form_sends_the_page_around_it_on(visitor: Page, site: Site, live_server: LiveServer) -> None:
    home = live_server.url
    shop = site(
        f'<div data-voronka-form="contact"></div><script src="{home}/f/embed.js" async></script>',
        allow=f"script-src {home}; frame-src {home}",
    )
    form_for(shop, redirect_url=f"{shop}/thanks")
    visitor.goto(shop)
    fill_in(visitor.frame_locator("iframe"))

    expect(visitor).to_have_url(f"{shop}/thanks")


def test_a_plain_frame_needs_no_script(browser: Browser, site: Site, live_server: LiveServer) -> None:
    home = live_server.url
    shop = site(f'<iframe src="{home}/f/contact/embed/" title="Contact"></iframe>', allow=f"frame-src {home}")
    form_for(shop)
    page = browser.new_context(java_script_enabled=False, locale="en").new_page()
    page.goto(shop)
    frame = page.frame_locator("iframe")
    fill_in(frame)

    expect(frame.get_by_text("Thank you!")).to_be_visible()
    assert Submission.objects.get().state == "taken"
    page.context.close()


def test_a_form_of_ones_own_leads_to_ours_filled_in(visitor: Page, site: Site, live_server: LiveServer) -> None:
    home = live_server.url
    shop = site(
        f'<form method="post" action="{home}/f/contact/"><input name="name" aria-label="Name">'
        '<input name="email" aria-label="E-mail"><button>Send</button></form>',
        allow=f"form-action {home}",
    )
    form_for()
    visitor.goto(shop)
    fill_in(visitor)
    expect(visitor.get_by_role("status")).to_contain_text("look it over")
    expect(visitor.get_by_label("Name")).to_have_value("Anna Berg")
    visitor.wait_for_timeout(1_100)  # whoever looks takes a second
    visitor.get_by_role("button", name="Send").click()

    expect(visitor).to_have_url(re.compile("/f/contact/thanks/$"))
    assert Submission.objects.get().state == "taken"


def test_a_program_in_a_page_of_the_list_may_call(visitor: Page, site: Site, live_server: LiveServer) -> None:
    shop = site("<h1>Shop</h1>", allow=f"connect-src {live_server.url}")
    form_for(shop)
    visitor.goto(shop)
    call = """async (api) => {
      const form = await (await fetch(api)).json();
      const sent = await fetch(api, {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify({token: form.token, name: "Anna Berg"}),
      });
      return sent.status;
    }"""

    assert visitor.evaluate(call, f"{live_server.url}/f/contact/api/") == 201
    assert Lead.objects.get().name == "Anna Berg"


def test_other_sites_may_neither_frame_nor_call(
    visitor: Page, site: Site, live_server: LiveServer, complaints: Complaints
) -> None:
    complaints.expected += ["frame-ancestors", "CORS", "frame"]
    home = live_server.url
    shop = site(f'<iframe src="{home}/f/contact/embed/"></iframe>', allow=f"frame-src {home}; connect-src {home}")
    form_for("https://elsewhere.test")
    visitor.goto(shop)

    expect(visitor.frame_locator("iframe").get_by_label("Name")).to_have_count(0)
    call = "api => fetch(api).then(() => 'read', () => 'refused')"
    assert visitor.evaluate(call, f"{home}/f/contact/api/") == "refused"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_on_a_phone_without_script(browser: Browser, live_server: LiveServer, language: str) -> None:
    form_for(name_ru="Напишите нам", consent="You may write to me.", consent_ru="Пишите мне.")
    context = browser.new_context(java_script_enabled=False, viewport=PHONE, locale=language)
    page = context.new_page()
    page.goto(f"{live_server.url}/f/contact/")
    expect(page.get_by_role("heading")).to_have_text("Напишите нам" if language == "ru" else "Contact us")
    page.locator("#id_name").fill("Anna")
    page.get_by_role("button").click()
    expect(page.locator("#id_consent_error")).to_be_visible()
    expect(page.locator("#id_name")).to_have_value("Anna")
    page.locator("#id_consent").check()
    page.get_by_role("button").click()

    expect(page).to_have_url(re.compile("/thanks/"))
    assert Submission.objects.get().language == language
    context.close()
