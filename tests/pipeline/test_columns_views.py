"""The columns of a list: chosen, kept in its address and with the person, and exported as they stand."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.models import SavedView, User
from crm.rules.records.recognising import recognise
from pipeline.models import Deal, Stage
from pipeline.views.columns_choice import LISTS
from tests.factories import CompanyFactory, ContactFactory, DealFactory, LeadFactory

pytestmark = pytest.mark.django_db
Stages = dict[str, Stage]
HX = {"HX-Request": "true"}


@pytest.fixture
def web(client: Client, rep: User, stages: Stages) -> Client:
    company = CompanyFactory(name="Halden", domain="halden.example", industry="Food", owner=rep)
    contact = ContactFactory(name="Irina", owner=rep, company=company, email="irina@halden.example")
    DealFactory(name="Ёлка", owner=rep, company=company, contact=contact, tags=["dairy"], amount=5)
    LeadFactory(name="Пётр", owner=rep, email="petr@client.test")
    client.force_login(rep)
    return client


def heads(web: Client, page: str = "deal_list", **query: Any) -> list[str]:
    """The titles of the columns that a list shows."""
    answer = web.get(reverse(page), query)
    assert answer.status_code == 200, query
    head = re.search(r"<thead>(.*?)</thead>", answer.text, re.DOTALL)
    assert head is not None
    return [
        re.sub(r"<[^>]+>", "", cell).strip()
        for cell in re.findall(r"<th.*?</th>", head[1], re.DOTALL)
        if 'class="choose"' not in cell
    ]


def choose(web: Client, name: str = "deals", **said: Any) -> Any:
    return web.post(reverse("columns_choose", args=[name]), said)


def exported(web: Client, page: str = "deal_export", **query: Any) -> list[list[str]]:
    answer = web.get(reverse(page), query)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def test_the_address_says_which_columns_stand_in_which_order(web: Client) -> None:
    assert heads(web)[:3] == ["Deal", "Amount", "Stage"]
    assert heads(web, columns="tags,name,contact") == ["Tags", "Deal", "Contact"]
    assert heads(web, columns=["contact", "name"]) == ["Contact", "Deal"]
    assert "dairy" in web.get(reverse("deal_list"), {"columns": "tags"}).text
    assert heads(web, columns="tags") == ["Deal", "Tags"], "the way to the record always stands"


@pytest.mark.parametrize(
    "named", ["tags,nothing,tags,__class__", "tags,<script>", ",,tags ,tags,", "tags," + "x" * 9000]
)
def test_what_nobody_knows_is_left_out(web: Client, named: str) -> None:
    assert heads(web, columns=named) == ["Deal", "Tags"]


def test_only_unknown_columns_are_none_asked_for(web: Client) -> None:
    assert heads(web, columns="nothing") == heads(web)


@pytest.mark.parametrize("name", LISTS)
def test_every_column_can_stand_and_be_exported(web: Client, name: str) -> None:
    table, page = LISTS[name]
    for column in table.columns:
        assert str(column.label) in heads(web, page, columns=column.key)
    every = ",".join(column.key for column in table.columns)
    header, row = exported(web, page.replace("_list", "_export"), columns=every)
    assert len(header) == len(set(header)) == len(row)


@pytest.mark.parametrize("name", LISTS)
def test_the_choice_is_remembered_and_its_address_shows_the_same(web: Client, name: str, rep: User) -> None:
    table, page = LISTS[name]
    keys = [table.columns[-1].key, table.always]

    answer = choose(web, name, columns=keys, back=f"{reverse(page)}?q=&owner={rep.pk}&page=1")

    assert answer.status_code == 302
    assert answer.url == f"{reverse(page)}?q=&owner={rep.pk}&columns={','.join(keys)}"
    assert heads(web, page) == [str(column.label) for column in table.of(keys)]
    assert "columns" not in choose(web, name, columns=keys, standard="1", back=answer.url).url
    assert heads(web, page) == [str(column.label) for column in table.of(table.standard)]


def test_a_choice_is_for_its_person_and_its_list(web: Client, rep: User, viewer: User) -> None:
    choose(web, "deals", columns=["name", "tags"])
    choose(web, "companies", columns=["name", "country"])
    assert (heads(web), heads(web, "company_list")) == (["Deal", "Tags"], ["Company", "Country"])
    web.force_login(viewer)
    assert heads(web)[:2] == ["Deal", "Amount"]
    choose(web, "deals", columns=["name", "owner"])
    assert heads(web) == ["Deal", "Owner"], "who may only look chooses too"
    rep.refresh_from_db()
    assert rep.columns == {"deals": ["name", "tags"], "companies": ["name", "country"]}


def test_a_saved_view_keeps_the_columns(web: Client, rep: User, colleague: User) -> None:
    choose(web, "deals", columns=["name", "tags"])
    page = web.get(reverse("deal_list"), {"stage": Stage.objects.get(slug="meeting").pk}).text
    asked = re.search(r"saved-views/deals/new/\?[^\"]*asked=([^\"]*)\"", page) or re.search(r"asked=([^\"]*)\"", page)
    assert asked is not None
    assert "columns%3Dname%252Ctags" in asked[1]
    SavedView.objects.create(name="Mine", page="deals", owner=rep, query=[["columns", "name,owner"]])
    view = SavedView.objects.get()
    assert heads(web, saved=view.pk, columns="name,owner") == ["Deal", "Owner"]
    assert "(<span>changed" not in web.get(reverse("deal_list") + view.address).text


def test_the_dialog_moves_columns_without_a_script(web: Client) -> None:
    page = web.get(reverse("columns_choose", args=["deals"]), {"columns": "name,tags,owner"})
    order = re.findall(r'name="order" value="(\w+)"', page.text)
    assert order[:3] == ["name", "tags", "owner"]
    assert len(order) == len(LISTS["deals"][0].columns)
    said = {"order": order, "columns": ["name", "tags", "owner"]}

    moved = choose(web, **said, down="tags")
    assert re.findall(r'name="order" value="(\w+)"', moved.text)[:3] == ["name", "owner", "tags"]
    assert moved.text.count(" checked") == 3
    assert re.findall(r'name="order" value="(\w+)"', choose(web, **said, up="name").text) == order
    assert re.findall(r'name="order" value="(\w+)"', choose(web, **said, up="nothing").text) == order
    answer = web.post(
        reverse("columns_choose", args=["deals"]), {**said, "up": "owner"}, headers={**HX, "HX-Target": "column-rows"}
    )
    assert answer.text.lstrip().startswith('<ol class="column-rows"')


def test_no_such_list_and_no_way_out(web: Client) -> None:
    assert web.get(reverse("columns_choose", args=["users"])).status_code == 404
    assert choose(web, "deals", columns=["name"], back="https://evil.example/").url.startswith("/deals/")


def test_the_export_gives_exactly_the_columns_shown(web: Client) -> None:
    assert exported(web, columns="tags,name") == [["Tags", "Deal", "Company"], ["dairy", "Ёлка", "Halden"]]
    link = re.search(r'href="(/deals/export/\?[^"]*columns=[^"]*)"', web.get("/deals/?columns=name,tags&q=ёлка").text)
    assert link is not None
    file = b"".join(web.get(link[1].replace("&amp;", "&"))).decode("utf-8-sig")
    assert file.splitlines()[0] == "Deal,Company,Tags"


@pytest.mark.parametrize(
    ("page", "kind", "named"),
    [("deal_export", "deals", 14), ("lead_export", "leads", 11), ("company_export", "companies", 6),
     ("contact_export", "contacts", 6)],
)  # fmt: skip
def test_the_export_without_columns_is_what_an_import_reads(web: Client, page: str, kind: str, named: int) -> None:
    choose(web, kind, columns=["name"])  # a remembered choice narrows no file that another program asks for
    header, row = exported(web, page)
    found = recognise(header, kind)
    assert (found.program, len([target for target in found.targets if target])) == ("Voronka", named)
    assert len(row) == len(header)


def test_exports_of_companies_and_contacts_show_no_foreign_row(web: Client, outsider: User) -> None:
    ContactFactory(name="Foreign", owner=outsider, company=CompanyFactory(name="=Foreign", owner=outsider))
    assert [row[0] for row in exported(web, "company_export")[1:]] == ["Halden"]
    assert [row[0] for row in exported(web, "contact_export", columns="name,open_deals")[1:]] == ["Irina"]
    web.force_login(outsider)
    assert [row[0] for row in exported(web, "company_export")[1:]] == ["'=Foreign"]


def test_a_column_not_chosen_costs_no_query(web: Client) -> None:
    with_deals, without = reverse("company_list"), reverse("company_list") + "?columns=name,owner"
    web.get(without)
    counts = []
    for url in (with_deals, without):
        with CaptureQueriesContext(connection) as queries:
            assert web.get(url).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] + 1


def test_a_remembered_choice_costs_no_query(web: Client) -> None:
    counts = []
    for _ in range(2):
        web.get(reverse("lead_list"))
        with CaptureQueriesContext(connection) as queries:
            assert web.get(reverse("lead_list")).status_code == 200
        counts.append(len(queries))
        choose(web, "leads", columns=["name", "email", "owner"])
    assert counts[0] == counts[1]


def test_days_in_stage_are_of_open_deals(web: Client, rep: User) -> None:
    now = dt.datetime.now(dt.UTC)
    DealFactory(name="won", owner=rep, won_at=now)
    Deal.objects.filter(name="Ёлка").update(stage_entered_at=now - dt.timedelta(days=3, hours=1))
    rows = exported(web, columns="name,days", outcome="all", sort="name")[1:]
    assert {row[0]: row[2] for row in rows} == {"Ёлка": "3", "won": ""}
