"""The addresses of follow-ups, with and without htmx."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import FollowUp, Lead, User
from tests.factories import FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Fomina")


@pytest.fixture
def call(lead: Lead, rep: User) -> FollowUp:
    return FollowUpFactory(subject=lead, assignee=rep, title="Call Daria")


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url_of(name: str, follow_up: FollowUp) -> str:
    return reverse(f"follow_up_{name}", args=[follow_up.pk])


def planned(**changes: object) -> dict[str, object]:
    return {"title": "Call Irina", "kind": "call", "due": "2030-07-02T14:00", "remind_before": ["15"], **changes}


def test_done_in_one_click_asks_what_is_next(call: FollowUp, rep: User) -> None:
    response = logged_in(rep).post(url_of("done", call), headers=HTMX)

    call.refresh_from_db()
    assert call.done_at is not None
    assert reverse("follow_up_next", args=[call.pk]) in response.text
    assert "follow-ups-changed" in response["HX-Trigger"]
    assert reverse("follow_up_reopen", args=[call.pk]) in response.text


def test_done_without_script_leads_to_the_question_and_back(call: FollowUp, lead: Lead, rep: User) -> None:
    client = logged_in(rep)

    response = client.post(url_of("done", call))
    assert response["Location"] == url_of("next", call)
    assert client.get(response["Location"]).status_code == 200
    response = client.post(
        url_of("next", call),
        {"outcome": "Yes", "response": "", "title": "Show it", "kind": "meeting", "due": "2030-01-02T10:00"},
    )

    assert response["Location"] == lead.get_absolute_url()
    call.refresh_from_db()
    assert call.outcome == "Yes"
    following = lead.follow_ups.get(title="Show it")
    assert following.due_at == dt.datetime(2030, 1, 2, 10, tzinfo=dt.UTC)


def test_nothing_further_keeps_what_came_of_it_and_plans_nothing(call: FollowUp, lead: Lead, rep: User) -> None:
    client = logged_in(rep)
    client.post(url_of("done", call), headers=HTMX)

    said = {"outcome": "She buys", "response": "positive", "title": "Sh", "kind": "call", "due": "no time"}
    response = client.post(url_of("next", call), {**said, "nothing_further": "on"}, headers=HTMX)

    assert response.status_code == 200
    call.refresh_from_db()
    assert (call.outcome, call.activity.response) == ("She buys", "positive")
    assert not lead.follow_ups.exclude(pk=call.pk).exists()


def test_what_came_of_an_open_one_completes_it(call: FollowUp, rep: User) -> None:
    client = logged_in(rep)
    page = client.get(url_of("next", call), headers=HTMX).text
    assert 'name="completes"' in page
    assert reverse("follow_up_reopen", args=[call.pk]) not in page
    call.refresh_from_db()
    assert call.is_open

    said = {"outcome": "She buys", "response": "positive", "completes": "on", "nothing_further": "on"}
    assert client.post(url_of("next", call), said, headers=HTMX).status_code == 200

    call.refresh_from_db()
    assert (call.is_open, call.outcome) == (False, "She buys")
    assert client.post(url_of("next", call), said, headers=HTMX).status_code == 409


def test_done_twice_is_a_conflict(call: FollowUp, rep: User) -> None:
    client = logged_in(rep)
    client.post(url_of("done", call), headers=HTMX)

    response = client.post(url_of("done", call), headers=HTMX)

    assert response.status_code == 409
    assert "follow-ups-changed" in response["HX-Trigger"]


def test_how_a_call_went_is_not_chosen_before_it_is_said(call: FollowUp, rep: User) -> None:
    client = logged_in(rep)
    asked = client.post(url_of("done", call), headers=HTMX)
    radios = re.findall(r'<input type="radio" name="response"[^>]*>', asked.text)
    assert len(radios) == 5
    assert not any("checked" in radio for radio in radios)

    said = {"outcome": "She buys", "title": "", "kind": "call", "due": ""}
    answer = client.post(url_of("next", call), said, headers=HTMX)
    assert answer.status_code == 422
    assert "Say how it went, or that there was no contact." in answer.text
    assert "She buys" in answer.text
    assert client.post(url_of("next", call), {**said, "response": "positive"}, headers=HTMX).status_code == 200
    call.refresh_from_db()
    assert (call.outcome, call.activity.response) == ("She buys", "positive")
    shown = client.get(url_of("next", call), headers=HTMX).text
    assert re.search(r'value="positive"[^>]* checked', shown)
    assert client.post(url_of("next", call), {**said, "outcome": ""}, headers=HTMX).status_code == 200


def test_a_task_is_told_of_without_how_it_went(call: FollowUp, rep: User) -> None:
    FollowUp.objects.update(kind="task")
    client = logged_in(rep)
    assert 'name="response"' not in client.post(url_of("done", call), headers=HTMX).text
    said = {"outcome": "Sent", "title": "", "kind": "call", "due": ""}
    assert client.post(url_of("next", call), said, headers=HTMX).status_code == 200


def test_what_came_of_one_that_is_open_again_is_a_conflict_not_lost_in_silence(call: FollowUp, rep: User) -> None:
    client = logged_in(rep)
    client.post(url_of("done", call), headers=HTMX)
    client.post(url_of("reopen", call), headers=HTMX)

    said = {"outcome": "Yes", "response": "", "title": "Show it", "kind": "meeting", "due": "2030-01-02T10:00"}
    response = client.post(url_of("next", call), said, headers=HTMX)

    assert response.status_code == 409
    assert FollowUp.objects.get() == call


def test_reopened(call: FollowUp, rep: User) -> None:
    client = logged_in(rep)
    for name in ("done", "delete"):
        client.post(url_of(name, call), headers=HTMX)
        client.post(url_of("reopen", call), headers=HTMX)
        call.refresh_from_db()
        assert call.is_open


@pytest.mark.parametrize("until", ["hour", "tomorrow", "week", "month"])
def test_snooze_in_one_click(call: FollowUp, rep: User, until: str) -> None:
    response = logged_in(rep).post(url_of("snooze", call), {"until": until, "back": "/"})

    assert response["Location"] == "/"
    before = call.due_at
    call.refresh_from_db()
    assert call.due_at > timezone.now()
    assert call.due_at != before


def test_snooze_to_nonsense_is_refused(call: FollowUp, rep: User) -> None:
    assert logged_in(rep).post(url_of("snooze", call), {"until": "never"}, headers=HTMX).status_code == 422


@pytest.mark.parametrize("back", ["https://evil.test/", "//evil.test/", "no-page", "javascript:alert(1)", ""])
def test_back_leads_nowhere_else(call: FollowUp, lead: Lead, rep: User, back: str) -> None:
    response = logged_in(rep).post(url_of("snooze", call), {"until": "hour", "back": back})

    assert response["Location"] == lead.get_absolute_url()


def test_time_is_read_on_the_persons_clock_in_a_gap_too(lead: Lead, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(time_zone="Europe/Berlin")
    data = planned(assignee=rep.pk, due="2030-03-31T02:30")

    logged_in(rep).post(reverse("follow_up_add", args=["lead", lead.pk]), data, headers=HTMX)

    follow_up = lead.follow_ups.get()
    assert follow_up.due_at == dt.datetime(2030, 3, 31, 1, tzinfo=dt.UTC)
    assert follow_up.due_local == dt.datetime(2030, 3, 31, 2, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "wrong",
    [{"title": ""}, {"title": "x" * 201}, {"due": "soon"}, {"due": "9999-12-31T23:59"}, {"kind": "fax"},
     {"assignee": "0"}, {"remind_before": ["7"]}, {"title": "a\x00b"}],
)  # fmt: skip
def test_wrong_values_are_said_beside_their_field_and_kept(lead: Lead, rep: User, wrong: dict[str, object]) -> None:
    data = planned(assignee=rep.pk, note="Bring samples") | wrong

    response = logged_in(rep).post(reverse("follow_up_add", args=["lead", lead.pk]), data, headers=HTMX)

    assert response.status_code == 422
    assert "Bring samples" in response.text
    assert "field-error" in response.text
    assert not lead.follow_ups.exists()


def test_new_for_a_chosen_record(lead: Lead, rep: User, outsider: User) -> None:
    client, url = logged_in(rep), reverse("follow_up_new")
    foreign = LeadFactory(owner=outsider)

    refused = client.post(url, planned(assignee=rep.pk, subject=f"lead-{foreign.pk}"), headers=HTMX)
    assert refused.status_code == 422
    client.post(url, planned(assignee=rep.pk, subject=f"lead-{lead.pk}"), headers=HTMX)

    assert lead.follow_ups.get().title == "Call Irina"
    assert not foreign.follow_ups.exists()


def test_choices_are_those_one_may_change(lead: Lead, rep: User, outsider: User, colleague: User) -> None:
    LeadFactory(owner=outsider, name="Daria Foreign")
    LeadFactory(owner=colleague, name="Daria Readable")

    found = logged_in(rep).get(reverse("follow_up_subjects"), {"q": "daria"}).json()

    assert [choice["value"] for choice in found] == [f"lead-{lead.pk}"]


WRITES = ("done", "next", "reopen", "snooze", "reschedule", "edit", "delete")


@pytest.mark.parametrize("name", WRITES)
def test_foreign_is_404_and_readable_is_403(
    call: FollowUp, outsider: User, colleague: User, viewer: User, name: str
) -> None:
    assert logged_in(outsider).post(url_of(name, call)).status_code == 404
    assert logged_in(colleague).post(url_of(name, call)).status_code == 403
    assert logged_in(viewer).post(url_of(name, call)).status_code == 403
    call.refresh_from_db()
    assert call.is_open


def test_get_changes_nothing(call: FollowUp, rep: User) -> None:
    client = logged_in(rep)
    for name in ("done", "reopen", "snooze", "delete"):
        assert client.get(url_of(name, call)).status_code == 405
    for name in ("next", "reschedule", "edit"):
        assert client.get(url_of(name, call), headers=HTMX).status_code == 200


def test_next_step_panel_is_seen_with_its_record(
    call: FollowUp, lead: Lead, rep: User, colleague: User, outsider: User
) -> None:
    url = reverse("next_step", args=["lead", lead.pk])

    assert url_of("done", call) in logged_in(rep).get(url).text
    readable = logged_in(colleague).get(url).text
    assert "Call Daria" in readable
    assert url_of("done", call) not in readable
    assert logged_in(outsider).get(url).status_code == 404
    assert logged_in(rep).get(reverse("next_step", args=["user", rep.pk])).status_code == 404


def test_hostile_words_are_shown_as_words(lead: Lead, rep: User) -> None:
    FollowUpFactory(subject=lead, assignee=rep, title="<script>alert(1)</script> =cmd| 🎉 \u202e")

    page = logged_in(rep).get(reverse("next_step", args=["lead", lead.pk])).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
