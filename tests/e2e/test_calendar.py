"""The calendar in a browser: dragged to another time, refused with a word, and done without a mouse or a grid."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from crm.models import FollowUp, User
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.recurring import Repeat
from crm.rules.wall_clock import WallTime
from tests.e2e.conftest import PHONE, Complaints, LogIn
from tests.factories import LeadFactory

ON = dt.date(2030, 7, 3)  # a Wednesday
PATH = f"/calendar/?view=week&on={ON}"


@pytest.fixture
def call(rep: User) -> FollowUp:
    rep.time_zone = "Asia/Kathmandu"  # not the browser's: the grid shows and sends the reader's own clock
    rep.save()
    plan = Plan(
        "Call Irina", WallTime(dt.datetime(2030, 7, 3, 10), rep.time_zone), rep, kind="call", duration_minutes=60
    )
    return plan_follow_up(LeadFactory(owner=rep, name="Romashka"), plan=plan, by=rep, now=dt.datetime.now(dt.UTC))


def event_of(page: Page, title: str = "Call Irina") -> Locator:
    return page.locator(".ec-event", has_text=title).first


def drag(page: Page, event: Locator, *, days: int = 0, hours: int = 0) -> None:
    box = event.bounding_box()
    column = page.locator(".ec-day").nth(1).bounding_box()
    assert box is not None
    assert column is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + 12
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y + 8, steps=4)
    page.mouse.move(x + days * column["width"], y + hours * box["height"], steps=12)
    with page.expect_response("**/calendar/events/**") as fresh:
        page.mouse.up()
    fresh.value.finished()
    expect(event).to_be_visible()


def local_of(call: FollowUp) -> str:
    call.refresh_from_db()
    return f"{call.due_local:%m-%d %H:%M}"


def test_dragged_it_is_due_then(log_in: LogIn, rep: User, call: FollowUp) -> None:
    page = log_in(rep)
    page.goto(PATH)
    expect(event_of(page)).to_contain_text("10:00")
    drag(page, event_of(page), days=1, hours=2)
    expect(page.locator("#toasts")).to_contain_text("Wed 3 July, 10:00–11:00 → Thu 4 July, 12:00–13:00")
    assert local_of(call) == "07-04 12:00"
    drag(page, event_of(page), days=-2)
    expect(event_of(page)).to_contain_text("12:00")
    assert local_of(call) == "07-02 12:00"


def test_who_was_second_gets_it_back_with_a_word(
    log_in: LogIn, rep: User, call: FollowUp, complaints: Complaints
) -> None:
    complaints.expected.append("409")
    page = log_in(rep)
    page.goto(PATH)
    expect(event_of(page)).to_be_visible()
    FollowUp.objects.filter(pk=call.pk).update(version=7)
    drag(page, event_of(page), days=1)
    expect(page.get_by_text("was changed in the meantime")).to_be_visible()
    expect(event_of(page)).to_contain_text("10:00")
    assert local_of(call) == "07-03 10:00"
    # The fresh state came with the refusal: the next drag is the newest.
    drag(page, event_of(page), days=1)
    expect(page.locator("#toasts")).to_contain_text("→ Thu 4 July")


def test_a_drag_is_undone_by_key_and_by_button(log_in: LogIn, rep: User, call: FollowUp) -> None:
    page = log_in(rep)
    page.goto(PATH)
    toast = page.locator("[data-undo]")
    for take_back in (lambda: page.keyboard.press("Control+z"), toast.get_by_role("button", name="Undo").click):
        drag(page, event_of(page), days=1, hours=2)
        expect(toast).to_contain_text("Call Irina")
        with page.expect_response("**/calendar/events/**"):
            take_back()
        expect(toast).to_have_count(0)
        expect(event_of(page)).to_contain_text("10:00")
        expect(event_of(page)).to_be_focused()
        assert local_of(call) == "07-03 10:00"


def test_by_keyboard_it_opens_and_takes_another_time(log_in: LogIn, rep: User, call: FollowUp) -> None:
    page = log_in(rep)
    page.goto(PATH)
    event_of(page).focus()
    page.keyboard.press("Enter")
    when = page.locator("#dialog [name=due]")
    expect(when).to_have_value("2030-07-03T10:00")
    when.fill("2030-07-05T16:30")
    page.get_by_role("button", name="Save").click()
    expect(event_of(page)).to_contain_text("16:30")
    assert local_of(call) == "07-05 16:30"


def test_a_phone_shows_an_agenda(log_in: LogIn, rep: User, call: FollowUp) -> None:
    page = log_in(rep, viewport=PHONE)
    page.goto(PATH)
    expect(page.locator("#calendar-grid")).to_be_hidden()
    expect(page.locator("#agenda")).to_contain_text("Call Irina")


def test_what_a_series_will_bring_is_shown_and_stays(log_in: LogIn, rep: User, call: FollowUp) -> None:
    plan = Plan("Weekly", WallTime(dt.datetime(2030, 6, 26, 9), rep.time_zone), rep, repeat=Repeat("FREQ=WEEKLY"))
    plan_follow_up(LeadFactory(owner=rep), plan=plan, by=rep, now=dt.datetime.now(dt.UTC))
    page = log_in(rep)
    page.goto(PATH)
    expect(event_of(page, "Weekly")).to_have_class(re.compile("is-coming"))
    expect(event_of(page, "Weekly")).not_to_have_class(re.compile("ec-draggable"))


def test_many_are_moved_at_once(log_in: LogIn, rep: User, call: FollowUp) -> None:
    page = log_in(rep)
    page.goto(reverse("follow_up_list"))
    page.get_by_label("Choose all on this page").check()
    expect(page.get_by_text("Chosen: 1")).to_be_visible()
    page.locator(".chosen-bar [name=day]").fill("2030-07-10")
    page.get_by_role("button", name="Move to that day").click()
    expect(page.get_by_text("1 changed.")).to_be_visible()
    assert local_of(call) == "07-10 10:00"
