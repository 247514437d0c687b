"""The lead list, a lead's page and panel, and the export."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.models import DuplicateSuspicion, Lead, Team, User
from crm.rules.suspecting import call_different
from tests.factories import (
    ContactFactory,
    LeadFactory,
    LeadSourceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
LIST_QUERIES = 19
"""Session, person, whom they see; one count of tabs and parts; late ones; up to four parts; chips; views; one lead."""


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name="Daria Fomina", company_name="Grain Mill Co.", email="daria@grain.test", owner=rep)


def shown(client: Client, **query: Any) -> list[str]:
    answer = client.get(reverse("lead_list"), query)
    assert answer.status_code == 200, answer.content
    return [lead.name for lead in answer.context["inbox"].page.object_list]


def ago(**length: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**length)


# --- The list -------------------------------------------------------------------------------------------------------


def test_the_most_urgent_stand_first(web: Client, rep: User) -> None:
    patient = LeadSourceFactory(respond_within_minutes=600)
    today = timezone.localdate()
    LeadFactory(
        name="answered long ago", owner=rep, status="working", first_response_at=ago(days=2), created_at=ago(days=3)
    )
    LeadFactory(
        name="answered lately", owner=rep, status="working", first_response_at=ago(hours=1), created_at=ago(hours=2)
    )
    LeadFactory(name="came first, may wait", owner=rep, source=patient, created_at=ago(hours=2))
    LeadFactory(name="runs out first", owner=rep, created_at=ago(minutes=50))
    LeadFactory(name="put aside", owner=rep, status="nurturing", nurture_until=today + dt.timedelta(days=9))
    LeadFactory(name="back today", owner=rep, status="nurturing", nurture_until=today)

    assert shown(web) == [
        "runs out first",
        "came first, may wait",
        "back today",
        "answered lately",
        "answered long ago",
        "put aside",
    ]


def test_tabs_show_and_count_what_they_say(web: Client, rep: User, colleague: User) -> None:
    LeadFactory(name="mine", owner=rep)
    LeadFactory(name="theirs", owner=colleague, first_response_at=timezone.now(), status="working")
    LeadFactory(name="free", created_at=ago(hours=3))
    LeadFactory(name="aside", owner=rep, status="nurturing", nurture_until=dt.date(2099, 1, 1))
    LeadFactory(name="closed", owner=rep, status="disqualified", disqualified_at=timezone.now())

    answer = web.get(reverse("lead_list"))
    counts = {tab.key: tab.count for tab in answer.context["inbox"].tabs}

    assert counts == {"inbox": 4, "waiting": 2, "mine": 2, "unassigned": 1, "nurturing": 1, "all": None}
    assert (answer.context["inbox"].waiting, answer.context["inbox"].late) == (2, 1)
    assert set(shown(web, view="waiting")) == {"mine", "free"}
    assert set(shown(web, view="mine")) == {"mine", "aside"}
    assert shown(web, view="unassigned") == ["free"]
    assert shown(web, view="nurturing") == ["aside"]
    assert set(shown(web, view="all")) == {"mine", "theirs", "free", "aside", "closed"}


def test_only_what_one_may_see_is_listed_and_counted(
    client: Client, rep: User, manager: User, outsider: User, viewer: User, north: Team
) -> None:
    LeadFactory(name="rita's", owner=rep)
    LeadFactory(name="north's", team=north)
    LeadFactory(name="anybody's")
    LeadFactory(name="otto's", owner=outsider)
    expected = {
        rep: {"rita's", "north's", "anybody's"},
        manager: {"rita's", "north's", "anybody's"},
        outsider: {"otto's", "anybody's"},
        viewer: {"rita's", "north's", "anybody's", "otto's"},
    }
    for person, names in expected.items():
        client.force_login(person)
        answer = client.get(reverse("lead_list"))
        assert {lead.name for lead in answer.context["inbox"].page.object_list} == names
        assert answer.context["inbox"].tabs[0].count == len(names)


def test_what_nothing_is_planned_for_is_shown_and_found(web: Client, rep: User) -> None:
    LeadFactory(name="waits", owner=rep)
    LeadFactory(name="aside", owner=rep, status="nurturing", nurture_until=dt.date(2099, 1, 1))
    LeadFactory(name="closed", owner=rep, status="disqualified", disqualified_at=timezone.now())
    LeadFactory(name="forgotten", owner=rep, status="working")
    LeadFactory(name="lost in nurturing", owner=rep, status="nurturing")
    for name, hours in (("late", -1), ("far", 72)):
        lead = LeadFactory(name=name, owner=rep, status="working")
        due = timezone.now() + dt.timedelta(hours=hours)
        Lead.objects.filter(pk=lead.pk).update(next_step_at=due)

    assert set(shown(web, view="all", state="unplanned")) == {"forgotten", "lost in nurturing"}
    assert shown(web, state="overdue") == ["late"]
    assert shown(web, state="planned") == ["far"]
    assert web.get(reverse("lead_list")).text.count("Nothing planned") == 2


def test_filters_narrow_the_list(web: Client, rep: User, colleague: User, north: Team) -> None:
    fair = LeadSourceFactory()
    LeadFactory(name="Пётр Ёлкин", company_name="Ледокол", owner=rep, source=fair, created_at=ago(days=10))
    LeadFactory(name="Greta Holm", email="greta@fjord.test", owner=colleague, status="qualified")
    LeadFactory(name="Gone", owner=rep, status="disqualified", disqualified_at=timezone.now())

    assert shown(web, q="елкин ЛЕДО") == ["Пётр Ёлкин"]
    assert shown(web, q="FJORD") == ["Greta Holm"]
    assert shown(web, source=fair.pk) == ["Пётр Ёлкин"]
    assert shown(web, owner=colleague.pk) == ["Greta Holm"]
    assert set(shown(web, team=north.pk)) == {"Пётр Ёлкин", "Greta Holm"}
    assert shown(web, status="qualified") == ["Greta Holm"]
    assert shown(web, status="disqualified") == ["Gone"]  # closed leads are looked for among all
    assert shown(web, since=ago(days=2).date().isoformat()) == ["Greta Holm"]
    assert shown(web, until=ago(days=2).date().isoformat()) == ["Пётр Ёлкин"]
    assert shown(web, q="100%_") == []


def test_a_status_narrows_the_list_but_not_the_tabs(web: Client, rep: User) -> None:
    LeadFactory(name="qualified", owner=rep, status="qualified")
    LeadFactory(name="new", owner=rep)
    LeadFactory(name="gone", owner=rep, status="disqualified", disqualified_at=timezone.now())

    for status, names in (("qualified", ["qualified"]), ("disqualified", ["gone"])):
        inbox = web.get(reverse("lead_list"), {"status": status}).context["inbox"]
        assert [lead.name for lead in inbox.page.object_list] == names
        assert inbox.tabs[0].count == 2
    assert inbox.tabs[0].url == "?view=inbox"  # no tab of living leads holds a closed one


@pytest.mark.parametrize("query", [{"source": 0}, {"owner": "x"}, {"status": "dead"}, {"view": "yours"}, {"team": 0}])
def test_a_filter_that_does_not_exist_is_not_found(query: dict[str, object], web: Client) -> None:
    assert web.get(reverse("lead_list"), query).status_code == 404


def test_a_person_out_of_sight_is_no_filter(web: Client, outsider: User) -> None:
    assert web.get(reverse("lead_list"), {"owner": outsider.pk}).status_code == 404
    assert web.get(reverse("lead_list"), {"team": outsider.team_id}).status_code == 404


def test_a_wrong_date_is_said_and_the_list_still_stands(web: Client, lead: Lead) -> None:
    for query in ({"since": "soon"}, {"since": "2026-02-02", "until": "2026-02-01"}, {"q": "x" * 201}):
        answer = web.get(reverse("lead_list"), query)
        assert answer.status_code == 422
        assert b"form-errors" in answer.content


def test_pages_run_through_all_parts(web: Client, rep: User) -> None:
    for number in range(15):
        LeadFactory(name=f"waiting {number}", owner=rep, created_at=ago(hours=number))
    for number in range(20):
        LeadFactory(name=f"in hand {number}", owner=rep, status="working", created_at=ago(hours=number))

    first, second = shown(web), shown(web, page=2)

    assert (len(first), len(second)) == (20, 15)
    assert [name.startswith("waiting") for name in first] == [True] * 15 + [False] * 5
    assert len(set(first) | set(second)) == 35


def test_the_list_takes_as_many_queries_however_long_it_is(web: Client, rep: User) -> None:
    source = LeadSourceFactory()
    for number in range(3):
        LeadFactory(owner=rep, source=source)
        LeadFactory(owner=rep, source=source, status="working", company_name=str(number))
    web.get(reverse("lead_list"))  # content types are read once a process
    with CaptureQueriesContext(connection) as few:
        assert web.get(reverse("lead_list")).status_code == 200
    for _number in range(12):  # one page still, with something of each part
        LeadFactory(owner=UserFactory(team=rep.team), source=LeadSourceFactory())
    with CaptureQueriesContext(connection) as many:
        assert web.get(reverse("lead_list")).status_code == 200

    assert len(many) == len(few) <= LIST_QUERIES


def test_htmx_gets_the_list_alone(web: Client, lead: Lead) -> None:
    answer = web.get(reverse("lead_list"), headers={**HTMX, "HX-Target": "lead-list"})
    text = answer.content.decode()

    assert "<html" not in text
    assert 'id="lead-panel"' not in text
    assert text.count("hx-swap-oob") == 2  # the tabs' counts and the figures


def test_an_empty_list_teaches_or_offers_to_clear(web: Client) -> None:
    assert "No leads yet" in web.get(reverse("lead_list")).content.decode()
    assert "Clear the filters" in web.get(reverse("lead_list"), {"q": "nobody"}).content.decode()


def test_the_lead_in_hand_is_the_most_urgent_or_the_one_named(web: Client, rep: User, colleague: User) -> None:
    LeadFactory(name="a colleague's, late", owner=colleague, created_at=ago(hours=9))
    mine = LeadFactory(name="mine", owner=rep, created_at=ago(minutes=9))
    other = LeadFactory(name="other", owner=rep, created_at=ago(minutes=1))

    assert web.get(reverse("lead_list")).context["lead"] == mine
    assert web.get(reverse("lead_list"), {"lead": other.pk}).context["lead"] == other
    for closed in ("none", "0", "9" * 30):
        assert web.get(reverse("lead_list"), {"lead": closed}).context["lead"] is None


# --- A lead's page --------------------------------------------------------------------------------------------------


def test_a_foreign_lead_is_not_found(client: Client, lead: Lead, outsider: User) -> None:
    client.force_login(outsider)
    assert client.get(lead.get_absolute_url()).status_code == 404
    assert client.get(reverse("lead_convert", args=[lead.pk])).status_code == 404


def test_the_page_offers_decisions_to_those_who_may_decide(
    client: Client, lead: Lead, rep: User, colleague: User, viewer: User
) -> None:
    for person, may in ((rep, True), (colleague, False), (viewer, False)):
        client.force_login(person)
        page = client.get(lead.get_absolute_url()).content.decode()
        assert (reverse("lead_convert", args=[lead.pk]) in page) is may
        assert (reverse("lead_edit", args=[lead.pk]) in page) is may


def test_parts_of_the_page_come_alone(web: Client, lead: Lead) -> None:
    for target in ("lead-panel", "lead-clock", "timeline"):
        answer = web.get(lead.get_absolute_url(), headers={**HTMX, "HX-Target": target}).content.decode()
        assert f'id="{target}"' in answer
        assert "<html" not in answer
    assert "<html" in web.get(lead.get_absolute_url(), headers=HTMX).content.decode()


NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"created_at": NOW - dt.timedelta(minutes=60 + 84)}, "1 h 24 min late"),
        ({"created_at": NOW - dt.timedelta(minutes=48)}, "12 min left"),
        ({"status": "working", "first_response_at": NOW - dt.timedelta(minutes=42)}, "answered in 18 min"),
        ({"status": "nurturing", "nurture_until": dt.date(2026, 9, 1)}, "back on"),
        ({"status": "working"}, "not answered"),
    ],
)
def test_the_clock_says_it_in_words(fields: dict[str, Any], words: str, web: Client, rep: User) -> None:
    LeadFactory(owner=rep, **{"created_at": NOW - dt.timedelta(hours=1), **fields})
    with time_machine.travel(NOW, tick=False):
        web.force_login(rep)
        assert words in web.get(reverse("lead_list")).content.decode()


# --- The export -----------------------------------------------------------------------------------------------------


def rows_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_export_holds_what_the_list_shows_and_no_formula(web: Client, rep: User, outsider: User) -> None:
    LeadFactory(name='=cmd|" /C calc"!A0', message="+1\n-2", owner=rep, email="a@b.test")
    LeadFactory(name="Пётр", owner=rep, status="working")
    LeadFactory(name="foreign", owner=outsider)

    header, *rows = rows_of(web.get(reverse("lead_export")))
    assert header[:3] == ["Came in", "First answered", "Lead"]
    assert [row[2] for row in rows] == ['\'=cmd|" /C calc"!A0', "Пётр"]
    assert rows[0][6] == "'+1\n-2"
    assert [row[2] for row in rows_of(web.get(reverse("lead_export"), {"q": "пётр"}))[1:]] == ["Пётр"]


def test_the_export_tells_time_on_the_persons_clock(web: Client, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(time_zone="Asia/Kathmandu", language="ru")
    LeadFactory(owner=rep, created_at=dt.datetime(2026, 6, 10, 20, 0, tzinfo=dt.UTC))
    assert rows_of(web.get(reverse("lead_export")))[1][0] == "2026-06-11 01:45"


def test_a_leads_page_says_who_is_there_already(web: Client, rep: User, outsider: User, lead: Lead) -> None:
    known = ContactFactory(name="Дарья Фомина", email="DARIA@grain.test", owner=rep)
    twin = LeadFactory(name="Daria Fomina", email="daria@grain.test", owner=rep)
    ContactFactory(name="Daria Fomina", email="daria@grain.test", owner=outsider)
    page = web.get(lead.get_absolute_url())
    assert {suspect.record for suspect in page.context["suspects"]} == {known, twin}
    assert known.get_absolute_url() in page.text
    pair = DuplicateSuspicion.objects.create(
        kind="lead", left_id=lead.pk, right_id=twin.pk, reasons=["email"], strength=3
    )
    call_different([pair], by=rep, now=timezone.now())
    assert [suspect.record for suspect in web.get(lead.get_absolute_url()).context["suspects"]] == [known]


def test_a_menu_of_people_is_read_when_it_is_opened(web: Client, rep: User, lead: Lead) -> None:
    page = web.get(reverse("lead_list"), {"view": "all", "q": lead.name}).content.decode()
    assert 'hx-get="?view=all&amp;q=' in page
    assert 'name="owner"' not in page

    address = {"view": "all", "q": lead.name, "menu": "owner"}
    menu = web.get(reverse("lead_list"), address, headers={"HX-Request": "true", "HX-Target": "menu-owner"})
    assert f'<option value="{rep.pk}"' in menu.content.decode()
    assert f'name="q" value="{lead.name}"' in menu.content.decode()
    assert "<html" not in menu.content.decode()

    without_script = web.get(reverse("lead_list"), address).content.decode()
    assert f'<option value="{rep.pk}"' in without_script
    assert 'id="menu-owner"' not in without_script


@pytest.mark.parametrize("name", ["nothing", "q", "since"])
def test_a_menu_that_is_none_is_404(web: Client, name: str) -> None:
    headers = {"HX-Request": "true", "HX-Target": f"menu-{name}"}
    assert web.get(reverse("lead_list"), {"menu": name}, headers=headers).status_code == 404
