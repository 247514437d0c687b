"""Every page under axe, in both themes and on a phone, where it is also no wider than the screen."""

from __future__ import annotations

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize
from pytest_django.live_server_helper import LiveServer

from crm.models import (
    Activity,
    Email,
    EmailTemplate,
    ImportRun,
    Lead,
    Notification,
    OutboxRow,
    Suppression,
    User,
)
from crm.rules.suspecting import check_queued
from pipeline.models import ChecklistItem, Deal, LineItem, Product
from tests.e2e.conftest import DESKTOP, PHONE, Complaints, LogIn
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    ContractFactory,
    DealFactory,
    FollowUpFactory,
    LeadFactory,
    LeadSourceFactory,
)
from tests.factories.lead_forms import LeadFormFactory, SubmissionFactory
from tests.factories.mail import MailboxFactory
from tests.factories.segments import SegmentFactory
from tests.factories.sequences import SequenceFactory, letter, wait

LISTS = ("/", "/board/", "/leads/", "/deals/", "/companies/", "/contacts/", "/search/?q=mill", "/metrics/")
PERSONAL = ("/settings/", "/notifications/", "/bin/", "/segments/", "/segments/new/lead/")
KEEPING = (
    "/follow-ups/", "/duplicates/", "/imports/", "/imports/new/", "/submissions/", "/email-templates/",
    "/email-templates/new/", "/suppressions/", "/sequences/", "/sequences/new/", "/metrics/sources/",
)  # fmt: skip
OPERATING = ("/settings/score/", "/operations/", "/operations/rows/")


@pytest.fixture
def records(admin: User) -> tuple[str, ...]:
    """A record of each kind with something in every panel; their pages."""
    now = timezone.now()
    long_ago = now - dt.timedelta(days=99)
    company = CompanyFactory(name="Grain Mill Co.", domain="mill.test", owner=admin, industry="Food")
    contact = ContactFactory(name="Irina Kim", company=company, owner=admin, phone="+371 2000", email="i@mill.test")
    deal = DealFactory(name="Mill dryer", owner=admin, company=company, contact=contact, amount=1000, stage="proposal")
    late = DealFactory(name="Mill pump", owner=admin, company=company, amount=10, created_at=long_ago)
    DealFactory(name="Mill belt", owner=admin, company=company, amount=500, won_at=now)
    lead = LeadFactory(name="Daria Fomina", company_name="Mill", email="d@mill.test", source=LeadSourceFactory())
    ChecklistItem.objects.create(stage=deal.stage, name="Ask for the budget", is_required=True)
    LineItem.objects.create(deal=deal, product=Product.objects.create(name="Hour", price=10), unit_price=10)
    ContractFactory(company=company, owner=admin, deal=deal, ends_on=now.date() + dt.timedelta(days=400))
    ActivityFactory(subject=deal, author=admin, body="Asked for the price")
    FollowUpFactory(subject=deal, assignee=admin, title="Call Irina")
    past = now - dt.timedelta(hours=3)
    FollowUpFactory(subject=late, assignee=admin, title="Write", due_at=past, due_local=past)
    FollowUpFactory(subject=lead, assignee=admin, title="Answer")
    Notification.objects.create(user=admin, subject=deal, text="Call Irina", kind="reminder", dedupe_key="a")
    return tuple(record.get_absolute_url() for record in (deal, late, lead, company, contact))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_on_a_desk(
    admin: User, records: tuple[str, ...], log_in: LogIn, complaints: Complaints, theme: str
) -> None:
    User.objects.filter(pk=admin.pk).update(theme=theme)
    page = log_in(admin, viewport=DESKTOP)
    assert_all_good(page, (*LISTS, *PERSONAL, *records, "/metrics/win_rate/", "/admin/"), complaints)


def test_pages_on_a_phone(admin: User, records: tuple[str, ...], log_in: LogIn, complaints: Complaints) -> None:
    page = log_in(admin, viewport=PHONE, has_touch=True, is_mobile=True)
    assert_all_good(page, (*LISTS, *PERSONAL, *records, "/metrics/win_rate/"), complaints)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_pages_of_what_is_kept(
    admin: User, records: tuple[str, ...], log_in: LogIn, complaints: Complaints, viewport: ViewportSize
) -> None:
    SegmentFactory(owner=admin)
    SubmissionFactory()
    again = LeadFactory(name="Daria Fomina", company_name="Mill", email="d@mill.test", owner=admin)
    check_queued(seconds=10, now=timezone.now())
    EmailTemplate.objects.create(name="Hello", owner=admin, subject="Hello", body="<p>Hello</p>")
    Suppression.objects.create(address="no@mill.test", reason="unsubscribed")
    ImportRun.objects.create(kind="leads", file_name="leads.csv", file_hash="0", state="done", by=admin)
    OutboxRow.objects.create(kind="email", dedupe_key="a11y", payload={}, state="unclear", due_at=timezone.now())
    page = log_in(admin, viewport=viewport)
    assert_all_good(page, (*KEEPING, *OPERATING, again.get_absolute_url()), complaints)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_pages_of_mail_and_calendar(
    admin: User, records: tuple[str, ...], log_in: LogIn, complaints: Complaints, viewport: ViewportSize
) -> None:
    for hour in (9, 15):  # something in the grid, whatever the day
        at = timezone.now().replace(hour=hour, minute=0)
        FollowUpFactory(subject=Lead.objects.get(), assignee=admin, title="Call", due_at=at, due_local=at)
    lead = Lead.objects.get()
    written = Activity.objects.create(subject=lead, kind="email", direction="in", title="Re: Offer", body="Yes")
    email = Email.objects.create(
        direction="in", subject=lead, activity=written, from_address=lead.email, subject_line="Re: Offer",
        html="<p>Yes</p>", text="Yes", new_text="Yes", at=timezone.now(),
    )  # fmt: skip
    sequence = SequenceFactory(owner=admin, name="After the fair")
    letter(sequence)
    step = wait(sequence)
    mailbox = MailboxFactory(owner=admin)
    form = LeadFormFactory(slug="quote")
    deal = records[0]
    base = f"/sequences/{sequence.pk}/"
    pages = (
        "/calendar/", "/calendar/?view=month", f"/emails/{email.pk}/", f"/emails/new/lead/{lead.pk}/",
        "/emails/triage/", base, f"{base}people/", f"{base}enrol/", f"{base}steps/{step.pk}/edit/",
        f"/people/lead/{lead.pk}/enrol/", f"/people/lead/{lead.pk}/erase/",
        "/mailboxes/", "/mailboxes/new/", f"/mailboxes/{mailbox.pk}/",
        f"/f/{form.slug}/", f"{deal}automation/",
    )  # fmt: skip
    page = log_in(admin, viewport=viewport)
    assert_all_good(page, pages, complaints)


def test_pages_of_the_admin(admin: User, records: tuple[str, ...], log_in: LogIn, complaints: Complaints) -> None:
    stage = Deal.objects.select_related("stage").earliest("pk").stage
    LeadFormFactory(slug="quote")
    pages = (
        "/admin/pipeline/pipeline/", f"/admin/pipeline/pipeline/{stage.pipeline_id}/change/",
        f"/admin/pipeline/stage/{stage.pk}/change/", "/admin/crm/leadsource/", "/admin/crm/leadform/",
        "/admin/crm/leadform/add/", "/admin/crm/assignmentrule/add/", "/admin/crm/workingcalendar/add/",
        "/admin/crm/user/", "/admin/crm/auditentry/",
    )  # fmt: skip
    assert_all_good(log_in(admin), pages, complaints)


def test_forms(admin: User, records: tuple[str, ...], log_in: LogIn, complaints: Complaints) -> None:
    page = log_in(admin, viewport=PHONE)
    deal = records[0]
    forms = ("/deals/new/", "/leads/new/", "/follow-ups/new/", f"{deal}edit/", f"{deal}lose/", f"{deal}contract/")
    assert_all_good(page, forms, complaints)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_login(browser: Browser, live_server: LiveServer, theme: str) -> None:
    for viewport in (DESKTOP, PHONE):
        context = browser.new_context(base_url=live_server.url, viewport=viewport, color_scheme=theme)
        try:
            assert offences(context.new_page(), "/accounts/login/") == []
        finally:
            context.close()


def test_a_bad_page_is_noticed(browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE)
    page.set_content("<html lang=en><title>Bad</title><main><table width=800><tr><td><input></table></main>")
    too_wide, no_label = faults(page)
    page.close()
    assert too_wide.endswith("px wide")
    assert no_label.startswith("label")


def assert_all_good(page: Page, addresses: tuple[str, ...], complaints: Complaints) -> None:
    """Visit all, and say everything that is wrong at once."""
    complaints.expected = ["Applying inline style"]  # axe tries one
    assert [offence for address in addresses for offence in offences(page, address)] == []


def offences(page: Page, address: str) -> list[str]:
    """What is wrong with a page: its status, or its faults."""
    answer = page.goto(address)
    assert answer is not None
    if answer.status != 200:
        return [f"{address}: {answer.status}"]
    return [f"{address}: {fault}" for fault in faults(page)]


def faults(page: Page) -> list[str]:
    """Its width, and what axe calls serious or critical."""
    width, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    found = [f"{width} px wide"] if width > screen else []
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in {"serious", "critical"}:
            nodes = [f"{node['html'][:140]} | {node['any'][0]['message'][:160] if node['any'] else ''}"
                     for node in violation["nodes"][:3]]  # fmt: skip
            found.append(f"{violation['id']} × {len(violation['nodes'])}: {nodes}")
    return found
