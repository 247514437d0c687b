"""The pages of segments: list, builder, live count; with htmx and without."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Lead, Segment, User
from tests.factories import ActivityFactory, ContactFactory, LeadFactory, LeadSourceFactory
from tests.factories.segments import SegmentFactory, condition, group

pytestmark = pytest.mark.django_db

CREATE = "/segments/new/lead/"
HTMX = {"HX-Request": "true", "HX-Target": "segment-conditions"}


def row(path: str, field: str, op: str, *value: str) -> dict[str, Any]:
    return {f"field:{path}": field, f"op:{path}": op, f"value:{path}": list(value)}


def sent(do: str = "save", **more: Any) -> dict[str, Any]:
    return {"name": "Big ones", "shared_with": "nobody", "version": "0", "join:0": "all", "do": do, **more}


def test_the_builder_begins_with_one_condition(web: Client) -> None:
    text = web.get(CREATE).content.decode()
    assert 'name="field:0.0"' in text
    assert 'name="op:0.0"' in text
    assert 'name="field:0.1"' not in text


def test_conditions_are_built_with_plain_buttons(web: Client) -> None:
    """Add, nest, remove: each a submit that draws the form again, with nothing lost and nothing refused yet."""
    more = row("0.0", "name", "contains", "Anna")
    added = web.post(CREATE, sent("add:0", **more))
    assert added.status_code == 200
    text = added.content.decode()
    assert 'value="Anna"' in text
    assert 'value="Big ones"' in text
    assert 'name="field:0.1"' in text
    assert "field-error" not in text
    nested = web.post(CREATE, sent("group:0", **more)).content.decode()
    assert 'name="join:0.1"' in nested
    assert 'name="field:0.1.0"' in nested
    both = {**more, **row("0.1", "email", "filled")}
    left = web.post(CREATE, sent("remove:0.0", **both)).content.decode()
    assert 'value="Anna"' not in left
    assert 'name="field:0.1"' not in left
    assert not Segment.objects.exists()


def test_with_htmx_only_the_conditions_come_back(web: Client) -> None:
    answer = web.post(CREATE, sent("add:0", **row("0.0", "name", "contains", "Anna")), headers=HTMX)
    text = answer.content.decode()
    assert text.strip().startswith('<div id="segment-conditions">')
    assert 'name="field:0.1"' in text
    assert "segment-changed" in answer["HX-Trigger-After-Settle"]


def test_a_changed_field_brings_its_own_operators(web: Client) -> None:
    fair = LeadSourceFactory(name="Fair")
    text = web.post(CREATE, sent("show", **row("0.0", "source", "contains", "Anna"))).content.decode()
    assert 'value="not_in"' in text
    assert f'value="{fair.pk}"' in text
    assert 'value="starts"' not in text


@pytest.mark.parametrize(
    "act", ["", "add", "add:9.9", "add:0.0", "remove:0", "remove:0.7", "group:x", "eat:0", "add:0.²"]
)
def test_a_button_of_somebody_elses_making_does_nothing(web: Client, act: str) -> None:
    answer = web.post(CREATE, sent(act, **row("0.0", "name", "contains", "Anna")))
    assert answer.status_code == 200
    assert 'name="field:0.1"' not in answer.content.decode()


def test_saving_goes_to_those_it_finds(web: Client, rep: User) -> None:
    mine = LeadFactory(name="Anna", owner=rep)
    LeadFactory(name="Ivan", owner=rep)
    nested = {"join:0.3": "none", **row("0.3.1", "email", "filled")}  # with gaps, as after removing
    answer = web.post(CREATE, sent(**row("0.0", "name", "contains", "ann"), **nested), follow=True)
    segment = Segment.objects.get()
    by_name = {"field": "name", "op": "contains", "value": "ann"}
    assert segment.conditions == group("all", by_name, group("none", condition("email", "filled")))
    assert [lead.pk for lead in answer.context["inbox"].page.object_list] == [mine.pk]
    assert "Big ones" in answer.content.decode()


@pytest.mark.parametrize(
    ("row_sent", "words"),
    [
        (row("0.0", "name", "contains", ""), "Say what to compare with"),
        (row("0.0", "name", "contains", "a\x00b"), "cannot be searched for"),
        (row("0.0", "name", "contains", "я" * 10_000), "too long"),
        (row("0.0", "name", "regex", "("), "cannot be compared"),
        (row("0.0", "password", "is", "x"), "no such field"),
        (row("0.0", "status", "in", "eaten"), "not among"),
        ({}, "at least one condition"),
    ],
)
def test_what_is_wrong_stands_by_its_condition(web: Client, row_sent: dict[str, Any], words: str) -> None:
    answer = web.post(CREATE, sent(**row_sent))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Segment.objects.exists()


def test_a_form_of_thousands_of_rows_is_cut_and_refused(web: Client) -> None:
    many: dict[str, Any] = {}
    for number in range(200):
        many |= row(f"0.{number}", "name", "filled")
    assert web.post(CREATE, sent(**many)).status_code == 422
    deep = {
        "join:0" + ".0" * 9: "all",
        "join:0.0.0.0.0": "all",
        "join:0.0.0.0": "all",
        "join:0.0.0": "all",
        "join:0.0": "all",
    }
    assert web.post(CREATE, sent(**deep, **row("0.0.0.0.0.0", "name", "filled"))).status_code == 422


def test_a_name_is_needed_and_nothing_typed_is_lost(web: Client) -> None:
    answer = web.post(CREATE, {**sent(**row("0.0", "name", "contains", "Anna")), "name": ""})
    assert answer.status_code == 422
    assert 'value="Anna"' in answer.content.decode()


def test_a_taken_name_is_said_by_the_name(web: Client, rep: User) -> None:
    SegmentFactory(owner=rep, name="Big ones")
    answer = web.post(CREATE, sent(**row("0.0", "name", "filled")))
    assert answer.status_code == 422
    assert "of this name already" in answer.content.decode()


def test_who_comes_second_is_told(web: Client, rep: User) -> None:
    segment = SegmentFactory(owner=rep, version=5)
    url = reverse("segment_edit", args=[segment.pk])
    answer = web.post(url, {**sent(**row("0.0", "name", "filled")), "version": "4"})
    assert answer.status_code == 409
    assert "in the meantime" in answer.content.decode()
    assert 'name="version" value="5"' in answer.content.decode()
    assert web.post(url, {**sent(**row("0.0", "name", "filled")), "version": "5"}).status_code == 302


def test_the_live_count_is_of_those_one_sees(web: Client, rep: User, outsider: User) -> None:
    LeadFactory(name="Anna Mine", owner=rep)
    LeadFactory(name="Anna Theirs", owner=outsider)
    fields = {"join:0": "all", **row("0.0", "name", "contains", "Anna"), **row("0.1", "email", "contains", "")}
    text = web.post("/segments/preview/lead/", fields).content.decode()
    assert "<b>1</b> lead of those you see" in text
    assert "Anna Mine" in text
    assert "Anna Theirs" not in text
    assert "Name contains “Anna”" in text
    assert "1 condition is not filled in yet" in text


def test_names_of_unseen_people_are_neither_offered_nor_said(web: Client, outsider: User, rep: User) -> None:
    segment = SegmentFactory(owner=rep, conditions=group("all", condition("owner", "in", outsider.pk)))
    text = web.get(reverse("segment_edit", args=[segment.pk])).content.decode()
    assert outsider.name not in text
    assert f'value="{outsider.pk}"' in text  # kept as it is, or saving would lose it


def test_the_list_says_what_each_finds(web: Client, rep: User, colleague: User, outsider: User) -> None:
    SegmentFactory(owner=rep, name="Mine")
    SegmentFactory(owner=colleague, name="Shared", shared_with="team")
    SegmentFactory(owner=colleague, name="Not shared")
    SegmentFactory(owner=outsider, name="Elsewhere", shared_with="team")
    text = web.get("/segments/").content.decode()
    assert "Mine" in text
    assert "Shared" in text
    assert "Status is New" in text
    assert "Not shared" not in text
    assert "Elsewhere" not in text
    assert web.get("/segments/?about=nobody").status_code == 404


def test_a_count_comes_by_itself(web: Client, rep: User) -> None:
    LeadFactory(owner=rep)
    segment = SegmentFactory(owner=rep)
    assert ">1</a>" in web.get(reverse("segment_count", args=[segment.pk])).content.decode()


def test_copied_shared_deleted_and_taken_back(web: Client, rep: User) -> None:
    segment = SegmentFactory(owner=rep, name="Mine")
    copied = web.post(reverse("segment_duplicate", args=[segment.pk]))
    copy = Segment.objects.exclude(pk=segment.pk).get()
    assert copied["Location"] == reverse("segment_edit", args=[copy.pk])
    shared = web.post(reverse("segment_share", args=[segment.pk]), {"shared_with": "team", "version": "1"})
    assert shared.status_code == 302
    stale = web.post(reverse("segment_share", args=[segment.pk]), {"shared_with": "everyone", "version": "1"})
    assert stale.status_code == 409
    assert web.post(reverse("segment_delete", args=[segment.pk]), {"version": "1"}).status_code == 409
    assert web.post(reverse("segment_delete", args=[segment.pk]), {"version": "2"}).status_code == 302
    assert "Mine" in web.get("/bin/").content.decode()
    web.post(reverse("segment_restore", args=[segment.pk]))
    segment.refresh_from_db()
    assert (segment.deleted_at, segment.shared_with) == (None, "team")


def test_the_lead_list_is_narrowed_to_a_segment(web: Client, rep: User, outsider: User) -> None:
    warm = LeadFactory(name="Warm", owner=rep)
    ActivityFactory(subject=warm, direction="in")
    LeadFactory(name="Cold", owner=rep)
    segment = SegmentFactory(owner=rep, name="Those who spoke", conditions=group("all", condition("heard", "ever")))
    foreign = SegmentFactory(owner=outsider)
    answer = web.get(f"/leads/?segment={segment.pk}")
    assert [lead.name for lead in answer.context["inbox"].page.object_list] == ["Warm"]
    assert "Those who spoke" in answer.content.decode()
    assert web.get(f"/leads/?segment={foreign.pk}").status_code == 404
    assert web.get("/leads/?segment=x").status_code == 404
    exported = b"".join(web.get(f"/leads/export/?segment={segment.pk}").streaming_content).decode()  # type: ignore[attr-defined]
    assert "Warm" in exported
    assert "Cold" not in exported


def test_the_contact_list_is_narrowed_to_a_segment(web: Client, rep: User) -> None:
    ContactFactory(name="Chief Anna", position="Chief", owner=rep)
    ContactFactory(name="Ivan", owner=rep)
    segment = SegmentFactory(owner=rep, about="contact", conditions=group("all", condition("position", "filled")))
    text = web.get(f"/contacts/?segment={segment.pk}").content.decode()
    assert "Chief Anna" in text
    assert "Ivan" not in text
    assert web.get(f"/leads/?segment={segment.pk}").status_code == 404  # one of contacts is none of leads


def test_a_lead_says_in_which_segments_it_is(web: Client, rep: User) -> None:
    lead = LeadFactory(owner=rep)
    SegmentFactory(owner=rep, name="The new ones")
    SegmentFactory(owner=rep, name="The old ones", conditions=group("all", condition("status", "not_in", "new")))
    text = web.get(lead.get_absolute_url()).content.decode()
    assert "The new ones" in text
    assert "The old ones" not in text


def test_no_condition_finds_what_is_deleted(web: Client, rep: User) -> None:
    lead = LeadFactory(owner=rep)
    segment = SegmentFactory(owner=rep)
    Lead.objects.filter(pk=lead.pk).update(deleted_at=lead.created_at)
    assert ">0</a>" in web.get(reverse("segment_count", args=[segment.pk])).content.decode()
