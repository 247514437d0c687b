"""Several rows of a list changed and deleted at once: each by its own rule, told of one by one, and taken back."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import AuditEntry, Company, Contact, DisqualifyReason, Lead, User
from pipeline.models import Deal, Stage
from pipeline.rules.deals import edit_deal
from pipeline.views import bulk
from pipeline.views.taking_back import UNDO
from tests.bulk import post, told, undo_url
from tests.factories import CompanyFactory, ContactFactory, DealFactory, LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db
Stages = dict[str, Stage]
HX = {"HX-Request": "true"}


@pytest.fixture
def web(client: Client, manager: User, stages: Stages) -> Client:
    client.force_login(manager)
    return client


def test_the_list_offers_what_one_may_change(web: Client, rep: User, colleague: User, viewer: User) -> None:
    mine, other = DealFactory(owner=rep), DealFactory(owner=colleague)
    assert web.get(reverse("deal_list")).text.count('form="bulk" name="chosen"') == 2
    web.force_login(rep)
    page = web.get(reverse("deal_list")).text
    assert f'value="{mine.pk}:{mine.version}"' in page
    assert f'value="{other.pk}:' not in page
    web.force_login(viewer)
    assert 'name="chosen"' not in web.get(reverse("deal_list")).text
    assert post(web, "delete", [mine]).status_code == 403


def test_the_dialog_asks_and_keeps_what_was_chosen(web: Client, rep: User) -> None:
    deals = [DealFactory(owner=rep), DealFactory(owner=rep)]
    for headers in ({}, HX):
        chosen = [f"{deal.pk}:{deal.version}" for deal in deals]
        answer = web.post(
            reverse("bulk_edit", args=["deals"]),
            {"act": "edit", "chosen": chosen, "back": "/deals/?q="},
            headers=headers,
        )
        assert answer.status_code == 200
        assert "Change 2 records" in answer.text
        assert re.findall(r'name="chosen" value="([\d:]+)"', answer.text) == chosen
        assert 'name="back" value="/deals/?q="' in answer.text
    answer = post(web, "change", deals)
    assert answer.status_code == 422
    assert "Say what is to be changed." in answer.text


def test_deals_change_each_by_their_rule_and_back(web: Client, rep: User, colleague: User, stages: Stages) -> None:
    fair = LeadSourceFactory(name="Fair")
    deals = [DealFactory(owner=rep, stage="meeting", tags=["dairy"]), DealFactory(owner=rep, stage="proposal")]
    said = {"owner": colleague.pk, "stage": stages["negotiation"].pk, "expected_close_on": "2030-05-05",
            "tags": "hot", "source": fair.pk}  # fmt: skip

    answer = post(web, "change", deals, back="/deals/?q=", **said)

    assert (answer.status_code, answer.url) == (302, "/deals/?q=")
    assert told(web, answer) == ["Changed: 2."]
    first, second = Deal.objects.order_by("pk")
    for deal in (first, second):
        assert (deal.owner, deal.stage, deal.source) == (colleague, stages["negotiation"], fair)
        assert deal.expected_close_on == dt.date(2030, 5, 5)
    assert (first.tags, second.tags) == (["dairy", "hot"], ["hot"])
    assert AuditEntry.objects.about("deal", first.pk).first().actor.role == User.Role.MANAGER

    taken_back = web.post(undo_url(answer))
    assert (taken_back.url, told(web, taken_back)) == ("/deals/?q=", ["Taken back: 2."])
    first, second = Deal.objects.order_by("pk")
    assert [deal.stage.slug for deal in (first, second)] == ["meeting", "proposal"]
    assert (first.owner, first.source, first.expected_close_on, first.tags) == (rep, None, None, ["dairy"])
    assert told(web, web.post(undo_url(answer))) == ["This can no longer be undone."]


def test_those_refused_stay_and_are_told_with_the_reason(
    client: Client, rep: User, colleague: User, outsider: User, stages: Stages
) -> None:
    mine, shared, foreign = (
        DealFactory(owner=rep),
        DealFactory(owner=colleague, name="Carl’s"),
        DealFactory(owner=outsider),
    )
    stale = DealFactory(owner=rep, name="Cheese <vat>")
    edit_deal(stale, fields={"tags": ["x"]}, seen_version=stale.version, by=rep)
    stale.version -= 1
    already = DealFactory(owner=rep, expected_close_on=dt.date(2030, 5, 5))
    stale.refresh_from_db()
    stale.version -= 1
    client.force_login(rep)

    answer = post(client, "change", [mine, shared, foreign, stale, already], expected_close_on="2030-05-05")

    words = told(client, answer)
    assert words[0] == "Changed: 1."
    assert any("“Carl’s”" in word for word in words)
    assert any("“Cheese <vat>”" in word for word in words)
    assert "1 more stays as it was." in words, "a foreign one is counted and not named"
    assert words[-1] == "1 was so already."
    assert set(Deal.objects.filter(expected_close_on__isnull=False)) == {mine, already}
    assert "Cheese <vat>" not in client.get(reverse("deal_list")).text


def test_a_change_of_a_deal_is_whole_or_not_at_all(web: Client, rep: User, stages: Stages) -> None:
    Stage.objects.filter(pk=stages["negotiation"].pk).update(required_fields=["amount"])
    deal = DealFactory(owner=rep, stage="meeting", amount=None)
    answer = post(web, "change", [deal], stage=stages["negotiation"].pk, tags="hot")
    assert undo_url(answer) == ""
    deal.refresh_from_db()
    assert (deal.stage, deal.tags) == (stages["meeting"], [])


@pytest.mark.parametrize(
    ("name", "factory", "model"),
    [("deals", DealFactory, Deal), ("leads", LeadFactory, Lead), ("companies", CompanyFactory, Company),
     ("contacts", ContactFactory, Contact)],
)  # fmt: skip
def test_every_kind_goes_to_the_bin_and_comes_back(web: Client, rep: User, name: str, factory: Any, model: Any) -> None:
    records = [factory(owner=rep), factory(owner=rep)]

    answer = post(web, "delete", records, name)

    assert told(web, answer) == ["In the bin: 2."]
    assert not model.objects.present().filter(pk__in=[record.pk for record in records]).exists()
    assert told(web, web.post(undo_url(answer))) == ["Taken back: 2."]
    assert model.objects.present().filter(pk__in=[record.pk for record in records]).count() == 2


def test_leads_are_given_and_disqualified_and_opened_again(web: Client, rep: User, colleague: User) -> None:
    reason = DisqualifyReason.objects.create(name="Out of region")
    leads = [LeadFactory(owner=rep), LeadFactory(owner=None, team=rep.team)]

    answer = post(web, "change", leads, "leads", owner=colleague.pk, disqualify_reason=reason.pk)

    assert told(web, answer) == ["Changed: 2."]
    assert set(Lead.objects.values_list("owner", "status", "disqualify_reason")) == {
        (colleague.pk, Lead.Status.DISQUALIFIED, reason.pk)
    }
    web.post(undo_url(answer))
    assert set(Lead.objects.values_list("owner", "status")) == {
        (rep.pk, Lead.Status.NEW),
        (None, Lead.Status.NEW),
    }


def test_companies_and_contacts_change(web: Client, rep: User, colleague: User) -> None:
    halden, other = CompanyFactory(owner=rep, industry="Food"), CompanyFactory(owner=rep)
    contact = ContactFactory(owner=rep, company=other)
    answer = post(web, "change", [halden, other], "companies", industry="Dairy", owner=colleague.pk)
    assert set(Company.objects.values_list("industry", "owner")) == {("Dairy", colleague.pk)}
    web.post(undo_url(answer))
    assert Company.objects.get(pk=halden.pk).industry == "Food"
    post(web, "change", [contact], "contacts", company=halden.pk)
    assert Contact.objects.get().company == halden


def test_nothing_changed_since_is_undone_over(web: Client, rep: User, manager: User) -> None:
    deals = [DealFactory(owner=rep, name="Touched"), DealFactory(owner=rep)]
    answer = post(web, "change", deals, tags="hot")
    touched = Deal.objects.get(pk=deals[0].pk)
    edit_deal(touched, fields={"tags": ["mine"]}, seen_version=touched.version, by=rep)
    told(web, answer)
    words = told(web, web.post(undo_url(answer)))
    assert words[0] == "Taken back: 1."
    assert "“Touched”" in words[1]
    assert Deal.objects.get(pk=touched.pk).tags == ["mine"]


def test_what_one_gave_out_of_reach_offers_no_undo(client: Client, rep: User, colleague: User, stages: Stages) -> None:
    deal = DealFactory(owner=rep)
    client.force_login(rep)
    answer = post(client, "change", [deal], owner=colleague.pk)
    assert (told(client, answer), undo_url(answer)) == (["Changed: 1."], "")


def test_what_dies_on_its_way_offers_to_take_back_what_it_did(
    web: Client, rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = [DealFactory(owner=rep, tags=["dairy"]) for _number in range(3)]
    kind, done = bulk.LISTS["deals"].kind, []

    def change_two(record: Deal, **said: Any) -> None:
        if len(done) == 2:
            raise SystemExit  # as a worker that is told to go
        kind.change(record, **said)
        done.append(record.pk)

    rows = replace(bulk.LISTS["deals"], kind=replace(kind, change=change_two))
    monkeypatch.setitem(bulk.LISTS, "deals", rows)
    with pytest.raises(SystemExit):
        post(web, "change", deals, tags="hot")
    monkeypatch.undo()

    assert "stopped" not in web.get(reverse("deal_list")).text, "it may still be on its way"
    session = web.session
    session[UNDO] = {**session[UNDO], "at": "2026-01-01T00:00:00+00:00"}
    session.save()
    page = web.get(reverse("deal_list")).text
    assert "The last change stopped on its way: 2 of 3 were changed." in page
    assert "data-stays" in page, "it waits for its reader"
    url = re.search(r'action="(/together/undo/[^"]+)"', page)
    assert url is not None
    assert "stopped" not in web.get(reverse("lead_list")).text, "told once"
    assert told(web, web.post(url[1])) == ["Taken back: 2."]
    assert [deal.tags for deal in Deal.objects.all()] == [["dairy"]] * 3


def test_a_row_and_its_undo_are_written_together_or_not_at_all(
    web: Client, rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = [DealFactory(owner=rep), DealFactory(owner=rep)]

    def fail(self: Any, one: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(bulk.Taking, "keep", fail)
    for act in ("change", "delete"):
        with pytest.raises(SystemExit):
            post(web, act, deals, tags="hot")
    assert set(Deal.objects.values_list("deleted_at", flat=True)) == {None}
    assert [deal.tags for deal in Deal.objects.all()] == [[], []]


def test_an_undo_is_of_its_own_session(web: Client, rep: User, admin: User) -> None:
    deal = DealFactory(owner=rep)
    url = undo_url(post(web, "delete", [deal]))
    stranger = Client()
    stranger.force_login(admin)
    assert told(stranger, stranger.post(url)) == ["This can no longer be undone."]
    assert told(web, web.post(url[:-4] + "x/"))[-1] == "This can no longer be undone."
    assert Deal.objects.get().deleted_at is not None


def test_all_found_are_those_of_the_address(
    web: Client, rep: User, outsider: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        DealFactory(owner=rep, name=f"Vat {number}")
    DealFactory(owner=rep, name="Other")
    DealFactory(owner=outsider, name="Vat of others")

    asked = post(web, "edit", [], query="?q=vat&sort=name", all="1")
    assert len(re.findall(r'name="chosen"', asked.text)) == 4
    monkeypatch.setattr(bulk, "MOST", 3)
    assert told(web, post(web, "delete", [], query="?q=vat&sort=name", all="1")) == ["In the bin: 3."]
    assert set(Deal.objects.present().values_list("name", flat=True)) == {"Vat 3", "Other", "Vat of others"}
    assert post(web, "delete", [], query="?owner=999999", all="1").status_code == 404
    LeadFactory(owner=rep, name="Pyotr")
    assert told(web, post(web, "delete", [], "leads", query="?q=pyotr", all="1")) == ["In the bin: 1."]


@pytest.mark.parametrize(
    "chosen",
    [[], ["x"], ["1"], ["1:1:1"], ["-1:1"], ["1:"], ["1" * 12 + ":1"], ["²:1"], [f"{n}:1" for n in range(201)]],
)
def test_hostile_choices_change_nothing_and_are_answered(web: Client, rep: User, chosen: list[str]) -> None:
    deal = DealFactory(owner=rep)
    for act in ("edit", "change", "delete"):
        answer = web.post(reverse("bulk_edit", args=["deals"]), {"act": act, "chosen": chosen, "tags": "x"})
        assert answer.status_code == 302
        assert len(told(web, answer)) == 1
    deal.refresh_from_db()
    assert (deal.tags, deal.deleted_at) == ([], None)


def test_floods_nul_and_unknown_names_are_refused(web: Client, rep: User, stages: Stages) -> None:
    deal = DealFactory(owner=rep)
    flood = {"act": "delete", "chosen": [f"{n}:1" for n in range(10_000)]}
    assert web.post(reverse("bulk_edit", args=["deals"]), flood).status_code == 400
    assert web.post(reverse("bulk_edit", args=["deals"]), {"act": "delete", "chosen": "1:1\x00"}).status_code in {
        302,
        400,
    }
    assert post(web, "delete", [deal], "users").status_code == 404
    assert web.get(reverse("bulk_edit", args=["deals"])).status_code == 405
    assert post(web, "change", [deal], tags="a\x00b").status_code in {400, 422}
    assert post(web, "change", [deal], stage=stages["fulfilment"].pk).status_code == 422, (
        "winning is asked for one by one"
    )
    assert post(web, "change", [deal], owner="999999").status_code == 422
    assert post(web, "delete", [deal], back="https://evil.example/").url == "/deals/"


def test_nobody_gives_work_to_whom_they_do_not_see(client: Client, rep: User, outsider: User, stages: Stages) -> None:
    client.force_login(rep)
    assert post(client, "change", [DealFactory(owner=rep)], owner=outsider.pk).status_code == 422


def test_the_list_asks_no_more_for_its_boxes(web: Client, rep: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        LeadFactory(owner=rep)
    web.get(reverse("lead_list"))
    with django_assert_max_num_queries(21):
        assert web.get(reverse("lead_list")).status_code == 200
