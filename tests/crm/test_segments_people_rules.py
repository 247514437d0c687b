"""Segments: whom they find within what one may see, and who may keep, share, copy and delete them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import Func, IntegerField, Value
from django.utils import timezone, translation

from crm.models import AuditEntry, Lead, LeadSource, Segment, User
from crm.rules.errors import NotAllowed
from crm.rules.segments import (
    ConditionsRefused,
    NameTaken,
    SegmentConflict,
    SegmentField,
    checked,
    count_quickly,
    create_segment,
    delete_segment,
    duplicate_segment,
    edit_segment,
    fields_of,
    holds,
    people_in,
    register,
    restore_segment,
    segments_of,
    sentence,
)
from tests.factories import (
    LeadFactory,
    LeadSourceFactory,
    TeamFactory,
    UserFactory,
)
from tests.factories.segments import SegmentFactory, condition, group

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)

pytestmark = pytest.mark.django_db


# --- Whom a segment finds -----------------------------------------------------------------------------------------


def test_a_segment_never_widens_rights(rep: User, outsider: User, admin: User) -> None:
    LeadFactory(name="rita's", owner=rep)
    LeadFactory(name="otto's", owner=outsider)
    segment = SegmentFactory(owner=admin, shared_with="everyone")

    def names(seen_by: User | None) -> list[str]:
        return sorted(people_in(segment, seen_by=seen_by, now=NOW).values_list("name", flat=True))

    assert names(rep) == ["rita's"]
    assert names(outsider) == ["otto's"]
    assert names(admin) == names(None) == ["otto's", "rita's"]


def test_me_is_whoever_looks(rep: User, colleague: User) -> None:
    mine, theirs = LeadFactory(owner=rep), LeadFactory(owner=colleague)
    segment = SegmentFactory(
        owner=rep, shared_with="team", conditions=checked(group("all", condition("owner", "in", "me")), about="lead")
    )
    assert list(people_in(segment, seen_by=rep, now=NOW)) == [mine]
    assert list(people_in(segment, seen_by=colleague, now=NOW)) == [theirs]
    assert list(people_in(segment, seen_by=None, now=NOW)) == [mine]
    assert holds(segment, mine, now=NOW)
    assert not holds(segment, theirs, now=NOW)


def test_a_segment_is_live(rep: User) -> None:
    segment = SegmentFactory(owner=rep)
    lead = LeadFactory(owner=rep)
    assert list(people_in(segment, seen_by=rep, now=NOW)) == [lead]
    Lead.objects.filter(pk=lead.pk).update(status="working")
    assert not people_in(segment, seen_by=rep, now=NOW).exists()


def test_a_segment_about_a_field_that_is_gone_finds_nobody() -> None:
    LeadFactory()
    segment = SegmentFactory(conditions=group("all", condition("shoe_size", "above", "40")))
    assert not people_in(segment, seen_by=None, now=NOW).exists()
    assert "no longer" in sentence(segment.conditions, about="lead", reader=None)


def test_segments_of_a_lead_take_three_queries(rep: User, django_assert_num_queries: Any) -> None:
    lead = LeadFactory(owner=rep)
    held = [SegmentFactory(owner=rep, name=f"S{number}") for number in range(5)]
    SegmentFactory(owner=rep, conditions=group("all", condition("shoe_size", "above", "40")))
    SegmentFactory(owner=rep, conditions=checked(group("all", condition("name", "is", "x")), about="lead"))
    SegmentFactory(owner=UserFactory(), name="not mine to use")
    hot = checked(group("all", condition("readiness", "in", "warm")), about="lead")
    held.append(SegmentFactory(owner=rep, name="S9", conditions=hot))
    segments_of(lead, seen_by=rep, now=NOW)
    with django_assert_num_queries(2):
        assert segments_of(lead, seen_by=rep, now=NOW) == held


def test_counting_gives_up_in_time() -> None:
    LeadFactory()
    slow = Lead.objects.alias(nap=Func(Value(5.0), function="pg_sleep", output_field=IntegerField())).filter(
        nap__isnull=False
    )
    assert count_quickly(slow, at_most=dt.timedelta(milliseconds=50)) is None
    assert count_quickly(Lead.objects.all(), at_most=dt.timedelta(seconds=5)) == 1


def test_the_apps_above_add_fields() -> None:
    name = next(field for field in fields_of("lead") if field.key == "name")
    register(name)  # once more is nothing new
    with pytest.raises(ValueError, match="name"):
        register(SegmentField("name", "lead", "", "Name", name.kind, "name"))


# --- Keeping ------------------------------------------------------------------------------------------------------

CONDITIONS = group("all", condition("status", "in", "new"))


def keep(by: User, name: str = "New ones", **more: Any) -> Segment:
    return create_segment(about="lead", fields={"name": name, "conditions": CONDITIONS, **more}, by=by)


def test_a_segment_is_its_makers_and_in_the_audit_log(rep: User) -> None:
    segment = keep(rep)
    assert (segment.owner, segment.shared_with, segment.version) == (rep, "nobody", 1)
    entry = AuditEntry.objects.about("segment", segment.pk).get()
    assert (entry.actor, entry.action) == (rep, "created")


def test_a_viewer_keeps_none(viewer: User) -> None:
    with pytest.raises(NotAllowed):
        keep(viewer)


def test_a_name_is_taken_once(rep: User, colleague: User) -> None:
    keep(rep)
    keep(colleague)
    with pytest.raises(NameTaken):
        keep(rep)


def test_wrong_conditions_are_not_kept(rep: User) -> None:
    with pytest.raises(ConditionsRefused):
        keep(rep, conditions=group("all", condition("shoe_size", "above", "40")))
    assert not Segment.objects.exists()


def test_who_comes_second_changes_nothing(rep: User, admin: User) -> None:
    segment = keep(rep)
    edit_segment(segment, fields={"name": "First"}, seen_version=1, by=admin)
    with pytest.raises(SegmentConflict):
        edit_segment(segment, fields={"name": "Second"}, seen_version=1, by=rep)
    assert Segment.objects.get().name == "First"


@pytest.mark.parametrize(
    ("shared_with", "uses", "changes"),
    [
        ("nobody", {"rep", "admin"}, {"rep", "admin"}),
        ("team", {"rep", "colleague", "manager", "viewer", "admin"}, {"rep", "manager", "admin"}),
        (
            "everyone",
            {"rep", "colleague", "manager", "outsider", "viewer", "admin"},
            {"rep", "manager", "admin"},
        ),
    ],
)
def test_who_uses_and_who_changes_it(
    shared_with: str, uses: set[str], changes: set[str], request: pytest.FixtureRequest
) -> None:
    cast = ("rep", "colleague", "manager", "outsider", "viewer", "admin")
    people: dict[str, User] = {name: request.getfixturevalue(name) for name in cast}
    segment = keep(people["rep"], shared_with=shared_with)
    users = {name for name, person in people.items() if Segment.objects.visible_to(person).contains(segment)}
    changers = {name for name, person in people.items() if Segment.objects.editable_by(person).contains(segment)}
    assert (users, changers) == (uses, changes)


def test_a_shared_segment_outlives_its_owner(rep: User, colleague: User) -> None:
    segment = keep(rep, shared_with="team")
    rep.is_active = False
    rep.save()
    lead = LeadFactory(owner=colleague)
    assert list(Segment.objects.visible_to(colleague)) == [segment]
    assert list(people_in(segment, seen_by=colleague, now=NOW)) == [lead]


def test_a_team_of_none_shares_with_none() -> None:
    """Two people without a team are no team."""
    one, other = UserFactory(), UserFactory()
    keep(one, shared_with="team")
    assert not Segment.objects.visible_to(other).exists()
    assert not Segment.objects.visible_to(UserFactory(team=TeamFactory())).exists()


def test_a_copy_is_ones_own(rep: User, colleague: User, viewer: User) -> None:
    segment = keep(rep, shared_with="everyone")
    copy = duplicate_segment(segment, by=colleague)
    again = duplicate_segment(segment, by=colleague)
    assert (copy.owner, copy.shared_with, copy.conditions) == (colleague, "nobody", segment.conditions)
    assert (copy.name, again.name) == ("New ones (copy)", "New ones (copy 2)")
    with pytest.raises(NotAllowed):
        duplicate_segment(segment, by=viewer)
    with pytest.raises(NotAllowed):
        duplicate_segment(copy, by=rep)


def test_deleted_and_taken_back(rep: User, colleague: User) -> None:
    segment, now = keep(rep), timezone.now()
    delete_segment(segment, seen_version=1, by=rep, now=now)
    assert not Segment.objects.visible_to(rep).exists()
    keep(rep)  # the name is free again
    with pytest.raises(NotAllowed):
        restore_segment(segment, by=colleague, now=now)
    assert restore_segment(segment, by=rep, now=now).name == "New ones (copy)"
    with pytest.raises(NotAllowed):
        restore_segment(segment, by=rep, now=now)


def test_sources_are_only_offered_as_they_are_called() -> None:
    LeadSource.objects.all().delete()
    LeadSourceFactory(name="Fair", name_ru="Выставка")
    source = next(field for field in fields_of("lead") if field.key == "source")
    assert source.choices is not None
    with translation.override("ru"):
        assert [label for _key, label in source.choices(None)] == ["Выставка"]
