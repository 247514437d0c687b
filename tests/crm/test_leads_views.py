"""What a person does with a lead over the web, with and without htmx; list and page are pipeline's."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import Campaign, DisqualifyReason, Lead, Team, User
from tests.factories import LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
HOSTILE = '<script>alert(1)</script> =cmd|" /C calc"!A0 \u202etxt 😀 {{ 7 }} {% now "Y" %}'
POST_ONLY = ["lead_claim", "lead_qualify", "lead_reopen", "lead_delete", "lead_restore"]
DIALOGS = ["lead_edit", "lead_assign", "lead_disqualify", "lead_nurture"]


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name="Daria Fomina", company_name="Grain Mill Co.", owner=rep)


@pytest.fixture
def reason() -> DisqualifyReason:
    return DisqualifyReason.objects.create(name="Out of region")


def address(name: str, lead: Lead) -> str:
    return reverse(name, args=[lead.pk])


def tomorrow() -> str:
    return (timezone.localdate() + dt.timedelta(days=1)).isoformat()


# --- Who may, and how -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*POST_ONLY, *DIALOGS])
def test_a_foreign_lead_does_not_exist(name: str, client: Client, lead: Lead, outsider: User) -> None:
    client.force_login(outsider)
    assert client.post(address(name, lead)).status_code == 404


@pytest.mark.parametrize("name", [name for name in [*POST_ONLY, *DIALOGS] if name != "lead_restore"])
def test_a_viewer_changes_nothing(name: str, client: Client, lead: Lead, viewer: User) -> None:
    client.force_login(viewer)
    assert client.post(address(name, lead), {"version": lead.version}).status_code == 403
    lead.refresh_from_db()
    assert lead.version == 1


@pytest.mark.parametrize("name", DIALOGS)
def test_a_colleagues_lead_is_seen_but_not_changed(name: str, client: Client, lead: Lead, colleague: User) -> None:
    client.force_login(colleague)
    assert client.get(address(name, lead)).status_code == 403


@pytest.mark.parametrize("name", POST_ONLY)
def test_reading_changes_nothing(name: str, web: Client, lead: Lead) -> None:
    assert web.get(address(name, lead)).status_code == 405


@pytest.mark.parametrize("name", DIALOGS)
def test_each_dialog_is_a_page_too(name: str, web: Client, lead: Lead) -> None:
    page = web.get(address(name, lead))
    dialog = web.get(address(name, lead), headers=HTMX)

    assert page.status_code == dialog.status_code == 200
    assert b"<html" in page.content
    assert b"<html" not in dialog.content
    assert f'value="{lead.version}"'.encode() in dialog.content


@pytest.mark.parametrize("name", DIALOGS)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_form_comes_back_with_its_errors(name: str, headers: dict[str, str], web: Client, lead: Lead) -> None:
    assert web.post(address(name, lead), {}, headers=headers).status_code == 422
    lead.refresh_from_db()
    assert lead.version == 1


# --- Adding and editing ---------------------------------------------------------------------------------------------


def test_a_rep_adds_a_lead(web: Client, rep: User) -> None:
    source = LeadSourceFactory()
    said = {"name": "Greta Holm", "email": "greta@fjord.test", "source": source.pk, "owner": rep.pk}

    answer = web.post(reverse("lead_create"), said)

    lead = Lead.objects.get()
    assert answer.status_code == 302
    assert (lead.name, lead.owner, lead.source, lead.status) == ("Greta Holm", rep, source, "new")


def test_a_viewer_is_not_offered_the_form(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.get(reverse("lead_create")).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"email": "nobody"}, "email"),
        ({"owner": 0}, "owner"),
        ({"source": "x"}, "source"),
        ({"message": "x" * 10_001}, "message"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_lost(wrong: dict[str, object], field: str, web: Client) -> None:
    answer = web.post(reverse("lead_create"), {"name": "Greta Holm", "phone": "12345", **wrong})

    assert answer.status_code == 422
    assert answer.context["form"].errors[field]
    assert b'value="12345"' in answer.content
    assert not Lead.objects.exists()


def test_a_campaign_brings_its_source_and_refuses_another(web: Client) -> None:
    source = LeadSourceFactory()
    campaign = Campaign.objects.create(name="Dryers, spring", source=source)
    other = LeadSourceFactory()

    wrong = web.post(reverse("lead_create"), {"name": "Greta", "campaign": campaign.pk, "source": other.pk})
    web.post(reverse("lead_create"), {"name": "Greta", "campaign": campaign.pk})

    assert wrong.context["form"].errors["campaign"]
    assert Lead.objects.get().source == source


def test_a_lead_cannot_be_given_away_by_adding_it(web: Client, outsider: User) -> None:
    assert web.post(reverse("lead_create"), {"name": "Greta", "owner": outsider.pk}).status_code == 422


def test_hostile_text_is_kept_and_shown_as_text(web: Client, rep: User) -> None:
    web.post(reverse("lead_create"), {"name": HOSTILE, "message": HOSTILE, "owner": rep.pk})
    lead = Lead.objects.get()
    page = web.get(lead.get_absolute_url()).content.decode()

    assert lead.name == HOSTILE
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "{{ 7 }}" in page


def test_editing_saves_and_tells_the_page(web: Client, lead: Lead) -> None:
    said = {"version": 1, "name": "Daria F.", "company_name": "Grain Mill Co."}
    answer = web.post(address("lead_edit", lead), said, headers=HTMX)

    lead.refresh_from_db()
    assert lead.name == "Daria F."
    assert {"lead-changed", "timeline-changed", "dialog-close"} <= set(answer.headers["HX-Trigger"].split('"'))


def test_a_late_editor_keeps_what_they_typed_and_sees_what_stands_there(web: Client, lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(phone="+371 1", version=2)

    late = web.post(address("lead_edit", lead), {"version": 1, "name": "Daria Fomina", "phone": "+371 2"})
    assert late.status_code == 409
    page = late.content.decode()
    assert 'value="+371 2"' in page
    assert "Now: +371 1" in page
    assert 'name="version" value="2"' in page
    lead.refresh_from_db()
    assert lead.phone == "+371 1"

    again = web.post(address("lead_edit", lead), {"version": 2, "name": "Daria Fomina", "phone": "+371 2"})
    assert again.status_code == 302


# --- Taking and giving ----------------------------------------------------------------------------------------------


def test_taking_a_free_lead(web: Client, rep: User, north: Team) -> None:
    lead = LeadFactory(team=north)
    assert web.post(address("lead_claim", lead), headers=HTMX).status_code == 200
    lead.refresh_from_db()
    assert lead.owner == rep


def test_who_comes_second_is_told_who_was_first(client: Client, lead: Lead, colleague: User) -> None:
    client.force_login(colleague)
    answer = client.post(address("lead_claim", lead), headers=HTMX)

    assert answer.status_code == 409
    assert "Rita Rep took this lead first." in answer.content.decode()
    assert "lead-changed" in answer.headers["HX-Trigger"]


def test_giving_a_lead_away(web: Client, lead: Lead, colleague: User) -> None:
    web.post(address("lead_assign", lead), {"version": 1, "owner": colleague.pk})
    lead.refresh_from_db()
    assert lead.owner == colleague


def test_a_lead_goes_to_nobody_out_of_sight(web: Client, lead: Lead, outsider: User) -> None:
    assert web.post(address("lead_assign", lead), {"version": 1, "owner": outsider.pk}).status_code == 422


# --- Deciding -------------------------------------------------------------------------------------------------------


def test_qualifying_and_a_stale_button(web: Client, lead: Lead) -> None:
    assert web.post(address("lead_qualify", lead), {"version": 1}).status_code == 302
    stale = web.post(address("lead_qualify", lead), {"version": 1}, headers=HTMX)

    assert stale.status_code == 409
    assert "Rita Rep changed" in stale.content.decode()


def test_a_button_without_a_version_does_nothing(web: Client, lead: Lead) -> None:
    assert web.post(address("lead_qualify", lead)).status_code == 409
    lead.refresh_from_db()
    assert lead.status == "new"


def test_disqualifying_with_a_reason(web: Client, lead: Lead, reason: DisqualifyReason) -> None:
    assert web.post(address("lead_disqualify", lead), {"version": 1}).status_code == 422
    web.post(address("lead_disqualify", lead), {"version": 1, "reason": reason.pk})
    lead.refresh_from_db()
    assert (lead.status, lead.disqualify_reason) == ("disqualified", reason)

    again = web.post(address("lead_disqualify", lead), {"version": 2, "reason": reason.pk})
    assert again.status_code == 422
    web.post(address("lead_reopen", lead), {"version": 2})
    lead.refresh_from_db()
    assert lead.status == "new"


def test_an_archived_reason_is_not_offered(web: Client, lead: Lead, reason: DisqualifyReason) -> None:
    DisqualifyReason.objects.filter(pk=reason.pk).update(is_archived=True)
    assert web.post(address("lead_disqualify", lead), {"version": 1, "reason": reason.pk}).status_code == 422


def test_nurturing_until_a_later_day(web: Client, lead: Lead) -> None:
    today = timezone.localdate().isoformat()
    assert web.post(address("lead_nurture", lead), {"version": 1, "until": today}).status_code == 422
    assert web.post(address("lead_nurture", lead), {"version": 1, "until": "soon"}).status_code == 422
    web.post(address("lead_nurture", lead), {"version": 1, "until": tomorrow()})
    lead.refresh_from_db()
    assert lead.status == "nurturing"


def test_an_open_lead_is_not_reopened(web: Client, lead: Lead) -> None:
    assert web.post(address("lead_reopen", lead), {"version": 1}, headers=HTMX).status_code == 422


def test_deleting_offers_the_way_back(web: Client, lead: Lead) -> None:
    answer = web.post(address("lead_delete", lead), {"version": 1}, follow=True)
    assert address("lead_restore", lead) in answer.content.decode()
    assert web.get(lead.get_absolute_url()).status_code == 404

    assert web.post(address("lead_restore", lead)).status_code == 302
    assert web.get(lead.get_absolute_url()).status_code == 200


def test_a_lead_that_is_not_in_the_bin_is_not_restored(web: Client, lead: Lead) -> None:
    assert web.post(address("lead_restore", lead)).status_code == 404
