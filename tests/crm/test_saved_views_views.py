"""Saved views over HTTP: kept, opened, shared, brought up to date, opened first, deleted and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import AuditEntry, OpensWith, SavedView, User
from tests.factories import DealFactory, LeadFactory, sales_pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def view(rep: User) -> SavedView:
    return SavedView.objects.create(name="Big ones", page="deals", owner=rep, query=[["amount_from", "1000"]])


def login(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def save(client: Client, page: str = "deals", **more: Any) -> Any:
    said = {"name": "Big ones", "shared_with": "nobody", "asked": "amount_from=1000", "back": "/deals/", **more}
    return client.post(reverse("saved_view_create", args=[page]), said)


def test_what_the_page_asks_for_is_kept_under_a_name(rep: User) -> None:
    client = login(rep)
    dialog = client.get(reverse("saved_view_create", args=["deals"]), {"asked": "q=Иван&page=3", "back": "/deals/"})
    assert dialog.status_code == 200
    answer = save(client, asked="q=%D0%98%D0%B2%D0%B0%D0%BD&tag=a&page=3&saved=9&empty=&csrfmiddlewaretoken=x")

    view = SavedView.objects.get()
    assert (view.owner, view.query) == (rep, [["q", "Иван"], ["tag", "a"]])
    assert answer["Location"] == f"/deals/{view.address}"
    page = client.get(answer["Location"])
    assert page.context["shelf"].current == view
    assert not page.context["shelf"].is_changed
    assert AuditEntry.objects.about("saved_view", view.pk).get().actor == rep


@pytest.mark.parametrize("path", ["/deals/", "/leads/", "/board/sales/"])
def test_pages_open_with_the_view_chosen_for_them_and_without_it_when_asked(rep: User, path: str) -> None:
    sales_pipeline()
    page = path.split("/")[1]
    view = SavedView.objects.create(name="Mine", page=page, owner=rep, query=[["owner", str(rep.pk)]])
    client = login(rep)
    client.post(reverse("saved_view_first", args=[view.pk]), {"is_first": "1"})

    assert client.get(path)["Location"] == f"{path}?saved={view.pk}&owner={rep.pk}"
    assert client.get(client.get(path)["Location"]).status_code == 200
    assert client.get(f"{path}?saved=0").status_code == 200
    cleared = client.get(path, headers={"Referer": f"http://testserver{path}?saved={view.pk}"})
    assert cleared.status_code == 200, "who clears the last filter sees everything"
    assert client.get(f"{path}?q=x").status_code == 200

    client.post(reverse("saved_view_first", args=[view.pk]), {"is_first": "0"})
    assert client.get(path).status_code == 200


def test_a_view_that_names_what_is_gone_does_not_close_the_page(rep: User, view: SavedView) -> None:
    SavedView.objects.filter(pk=view.pk).update(query=[["owner", "999999"]])
    OpensWith.objects.create(user=rep, page="deals", view=view)
    page = login(rep).get("/deals/", follow=True)
    assert page.status_code == 200
    assert page.redirect_chain[-1][0] == "/deals/?saved=0"
    assert "something that is gone" in page.content.decode()


def test_an_unknown_filter_without_a_view_stays_404(rep: User) -> None:
    assert login(rep).get("/deals/?owner=999999").status_code == 404


def test_private_views_are_nobody_elses_and_shared_ones_are_used_not_changed(
    rep: User, colleague: User, outsider: User, view: SavedView
) -> None:
    first, edit = reverse("saved_view_first", args=[view.pk]), reverse("saved_view_edit", args=[view.pk])
    assert login(colleague).post(first, {"is_first": "1"}).status_code == 404
    assert view not in login(colleague).get("/deals/").context["shelf"].views

    SavedView.objects.update(shared_with="team")
    shelf = login(colleague).get(f"/deals/{view.address}").context["shelf"]
    assert (shelf.current, shelf.may_edit) == (view, False)
    assert login(colleague).post(edit, {"name": "x", "shared_with": "team"}).status_code == 403
    assert login(outsider).post(first, {"is_first": "1"}).status_code == 404


def test_an_admins_menu_is_not_full_of_others_private_views(rep: User, admin: User, view: SavedView) -> None:
    assert login(admin).get("/deals/?saved=0").context["shelf"].views == []
    SavedView.objects.update(shared_with="everyone")
    assert login(admin).get("/deals/?saved=0").context["shelf"].views == [view]


def test_a_character_that_no_text_holds_is_not_kept(rep: User, view: SavedView) -> None:
    asked = {"asked": "q=%00&%00=x&tag=a", "back": "/deals/"}
    assert login(rep).post(reverse("saved_view_update", args=[view.pk]), asked).status_code == 302
    view.refresh_from_db()
    assert view.query == [["tag", "a"]]


def test_days_are_a_filter_like_others(rep: User) -> None:
    client = login(rep)
    asked = client.get("/leads/?view=all&since=2026-01-01&until=2026-02-01&menu=owner").context["shelf"].asked
    save(client, page="leads", asked=asked)
    assert SavedView.objects.get().query == [["view", "all"], ["since", "2026-01-01"], ["until", "2026-02-01"]]


def test_changed_filters_are_kept_in_the_view(rep: User, view: SavedView) -> None:
    client = login(rep)
    page = client.get(f"/deals/?saved={view.pk}&amount_from=5000")
    assert page.context["shelf"].is_changed
    asked = {"asked": page.context["shelf"].asked, "back": "/deals/"}
    answer = client.post(reverse("saved_view_update", args=[view.pk]), asked)
    view.refresh_from_db()
    assert view.query == [["amount_from", "5000"]]
    assert answer["Location"] == f"/deals/?saved={view.pk}&amount_from=5000"


def test_renamed_and_shared(rep: User, view: SavedView) -> None:
    said = {"name": "Large", "shared_with": "everyone", "is_first": "on", "back": "/deals/"}
    assert login(rep).post(reverse("saved_view_edit", args=[view.pk]), said).status_code == 302
    view.refresh_from_db()
    assert (view.name, view.shared_with, view.query) == ("Large", "everyone", [["amount_from", "1000"]])
    assert OpensWith.objects.get().view == view


def test_deleted_and_taken_back(rep: User, view: SavedView) -> None:
    OpensWith.objects.create(user=rep, page="deals", view=view)
    client = login(rep)
    client.post(reverse("saved_view_delete", args=[view.pk]), {"back": "/deals/"})
    page = client.get("/deals/")
    assert page.status_code == 200
    assert page.context["shelf"].views == []
    client.post(reverse("saved_view_restore", args=[view.pk]))
    assert client.get("/deals/?saved=0").context["shelf"].views == [view]


def test_a_name_taken_is_said_at_the_name_and_a_namesake_keeps_it(rep: User, view: SavedView) -> None:
    client = login(rep)
    answer = save(client)
    assert answer.status_code == 422
    assert "You have a view of this name already." in answer.content.decode()
    client.post(reverse("saved_view_delete", args=[view.pk]))
    save(client)
    client.post(reverse("saved_view_restore", args=[view.pk]))
    assert SavedView.objects.present().count() == 1


@pytest.mark.parametrize("said", [{"name": ""}, {"name": "x" * 81}, {"shared_with": "world"}, {"asked": "x" * 2001}])
def test_bad_input_is_422(rep: User, said: dict[str, str]) -> None:
    assert save(login(rep), **said).status_code == 422
    assert not SavedView.objects.exists()


def test_no_such_page(rep: User) -> None:
    assert save(login(rep), page="follow-ups").status_code == 404


def test_hostile_names_are_shown_as_text(rep: User) -> None:
    client = login(rep)
    save(client, name="<script>alert(1)</script>", asked='q="><script>')
    page = client.get("/deals/?saved=0").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_leads_and_the_deals_of_a_view_are_those_one_sees(rep: User, outsider: User, view: SavedView) -> None:
    DealFactory(owner=rep, name="Secret", amount=5000)
    LeadFactory(owner=rep, name="Secret too")
    SavedView.objects.update(shared_with="everyone")
    assert "Secret" not in login(outsider).get(f"/deals/{view.address}").content.decode()
