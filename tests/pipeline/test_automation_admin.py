"""An admin builds stage rules, tries them out, and switches them on; all of it without script."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import AuditEntry, EmailTemplate, User
from pipeline.models import Deal, RuleFiring, Stage, StageAction, StageRule
from pipeline.rules.automation.kinds import all_kinds
from pipeline.rules.automation.rehearsing import month_before, rehearse
from tests.factories import ContactFactory, DealFactory, UserFactory
from tests.factories.stage_rules import list_of, rule_for

pytestmark = pytest.mark.django_db

Stages = dict[str, Stage]


@pytest.fixture
def settings_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def rule_form(stage: Stage, *actions: dict[str, Any], there: int = 0, **fields: Any) -> dict[str, Any]:
    form = {
        "stage": stage.pk, "name": "Welcome", "name_ru": "Встречаем", "trigger": "entering", "days": "",
        "actions-TOTAL_FORMS": len(actions), "actions-INITIAL_FORMS": there,
    }  # fmt: skip
    for number, action in enumerate(actions):
        form |= {f"actions-{number}-{name}": value for name, value in action.items()}
    return {**form, **fields}


def test_rule_is_built_action_by_action(settings_client: Client, stages: Stages, admin: User) -> None:
    add = reverse("admin:pipeline_stagerule_add")
    assert (
        f'value="{stages["meeting"].pk}" selected'
        in settings_client.get(f"{add}?stage={stages['meeting'].pk}").content.decode()
    )

    response = settings_client.post(add, rule_form(stages["meeting"], add_action="add_tag"))
    rule = StageRule.objects.get()
    change = reverse("admin:pipeline_stagerule_change", args=[rule.pk])
    assert response.headers["Location"] == f"{change}?add_action=add_tag#actions-new"
    assert (rule.is_active, rule.active_since) == (False, None)

    page = settings_client.get(f"{change}?add_action=add_tag").content.decode()
    assert 'name="actions-0-tag"' in page
    assert 'name="actions-0-template"' not in page
    action = {"kind": "add_tag", "tag": "warm", "position": 1}
    said = rule_form(stages["meeting"], action, is_active="on")
    response = settings_client.post(f"{change}?add_action=add_tag", said)
    assert response.status_code == 302, response.context["errors"]
    assert StageAction.objects.get().parameters == {"tag": "warm"}
    rule.refresh_from_db()
    assert rule.is_active
    assert rule.active_since is not None
    assert AuditEntry.objects.about("stage_rule", rule.pk)[0].actor == admin


@pytest.mark.parametrize("kind", list(all_kinds()))
def test_each_kind_shows_its_own_fields_alone(settings_client: Client, stages: Stages, kind: str) -> None:
    rule = rule_for(stages["meeting"])
    change = reverse("admin:pipeline_stagerule_change", args=[rule.pk])
    page = settings_client.get(f"{change}?add_action={kind}").content.decode()
    names = {parameter.name for each in all_kinds().values() for parameter in each.parameters}
    shown = {name for name in names if f'name="actions-0-{name}"' in page}
    assert shown == {parameter.name for parameter in all_kinds()[kind].parameters}


def test_an_action_is_changed_and_removed(settings_client: Client, stages: Stages) -> None:
    rule = rule_for(stages["meeting"], ("add_tag", {"tag": "old"}), ("set_expected_close", {"days": 3}))
    first, second = rule.actions.all()
    change = reverse("admin:pipeline_stagerule_change", args=[rule.pk])
    assert 'value="old"' in settings_client.get(change).content.decode()
    said = rule_form(
        stages["meeting"],
        {"id": first.pk, "rule": rule.pk, "kind": "remove_tag", "tag": "new", "position": 1},
        {"id": second.pk, "rule": rule.pk, "kind": "", "days": 3, "position": 2, "DELETE": "on"},
        there=2,
    )
    response = settings_client.post(change, said)
    assert response.status_code == 302, response.context["errors"]
    (kept,) = rule.actions.all()
    assert (kept.kind, kept.parameters) == ("add_tag", {"tag": "new"})  # its kind stays, whatever the form says


HOSTILE = [
    {"kind": "add_tag", "tag": ""},
    {"kind": "add_tag", "tag": "x" * 41},
    {"kind": "add_tag", "tag": "a\x00b"},
    {"kind": "set_expected_close", "days": "-1"},
    {"kind": "set_expected_close", "days": "99999999999999999999"},
    {"kind": "send_template", "template": "0 OR 1=1"},
    {"kind": "notify", "to": "everybody"},
    {"kind": "notify", "to": "person"},
    {"kind": "assign", "to": "team"},
    {"kind": "move", "stage": "999999999"},
    {"kind": "os.system", "tag": "x"},
]


@pytest.mark.parametrize("action", HOSTILE, ids=str)
def test_what_cannot_be_is_said_and_nothing_saved(
    settings_client: Client, stages: Stages, action: dict[str, Any]
) -> None:
    rule = rule_for(stages["meeting"])
    change = reverse("admin:pipeline_stagerule_change", args=[rule.pk])
    response = settings_client.post(change, rule_form(stages["meeting"], {"position": 1, **action}))
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert not rule.actions.exists()


def test_private_templates_and_viewers_are_not_offered(settings_client: Client, stages: Stages, rep: User) -> None:
    EmailTemplate.objects.create(name="Private words", owner=rep, subject="s", body="b")
    UserFactory(name="Vera Looks", role=User.Role.VIEWER)
    change = reverse("admin:pipeline_stagerule_change", args=[rule_for(stages["meeting"]).pk])
    assert "Private words" not in settings_client.get(f"{change}?add_action=send_template").content.decode()
    assert "Vera Looks" not in settings_client.get(f"{change}?add_action=assign").content.decode()


@pytest.mark.parametrize(("trigger", "days", "error"), [("staying", "", True), ("staying", "3", False)])
def test_staying_says_after_how_many_days(
    settings_client: Client, stages: Stages, trigger: str, days: str, error: bool
) -> None:
    said = rule_form(stages["meeting"], trigger=trigger, days=days)
    response = settings_client.post(reverse("admin:pipeline_stagerule_add"), said)
    assert (response.status_code == 422) is error
    assert StageRule.objects.exists() is not error


def test_days_of_another_trigger_are_left_out(settings_client: Client, stages: Stages) -> None:
    settings_client.post(reverse("admin:pipeline_stagerule_add"), rule_form(stages["meeting"], days="4"))
    assert StageRule.objects.get().days is None


def test_rules_are_switched_in_the_list(settings_client: Client, stages: Stages) -> None:
    rule = rule_for(stages["meeting"], is_active=False, active_since=None)
    said = {"action": "switch_on", "_selected_action": [rule.pk]}
    settings_client.post(reverse("admin:pipeline_stagerule_changelist"), said)
    rule.refresh_from_db()
    assert rule.is_active
    assert rule.active_since is not None


def test_rule_that_fired_is_not_deleted(settings_client: Client, stages: Stages, rep: User) -> None:
    rule = rule_for(stages["meeting"])
    deal = DealFactory(owner=rep, stage="meeting")
    RuleFiring.objects.create(rule=rule, deal=deal, visit=deal.visits.get(), at=timezone.now(), due_at=timezone.now())
    delete = reverse("admin:pipeline_stagerule_delete", args=[rule.pk])
    assert settings_client.post(delete, {"post": "yes"}).status_code == 403
    page = settings_client.get(reverse("admin:pipeline_rulefiring_changelist")).content.decode()
    assert str(rule) in page


def test_list_that_a_rule_gives_is_not_deleted(settings_client: Client, stages: Stages) -> None:
    given, free = list_of("Call"), list_of("Write")
    rule_for(stages["meeting"], ("follow_ups", {"list": given.pk}))
    for one, status in ((given, 403), (free, 302)):
        delete = reverse("admin:pipeline_followuplist_delete", args=[one.pk])
        assert settings_client.post(delete, {"post": "yes"}).status_code == status


def test_stage_leads_to_its_rules(settings_client: Client, stages: Stages) -> None:
    rule_for(stages["meeting"], ("add_tag", {"tag": "warm"}), name="Warm up")
    page = settings_client.get(reverse("admin:pipeline_stage_change", args=[stages["meeting"].pk])).content.decode()
    assert "Warm up" in page
    assert "Add a tag: “warm”" in page
    assert reverse("admin:pipeline_stage_dry_run", args=[stages["meeting"].pk]) in page


# --- The dry run ----------------------------------------------------------------------------------------------------


@pytest.fixture
def last_month(rep: User, stages: Stages) -> dt.datetime:
    """Three deals of last month: one opened and still in Meeting, one won from there, one lost there."""
    start, _end = month_before(timezone.now())
    at = start + dt.timedelta(days=3)
    contact = ContactFactory(owner=rep, email="here@client.test")
    DealFactory(owner=rep, stage="meeting", created_at=at, contact=contact, name="Stays", amount=5000)
    DealFactory(owner=rep, stage="meeting", created_at=at, lost_at=at + dt.timedelta(days=2), name="Lost")
    DealFactory(owner=rep, stage="meeting", created_at=start - dt.timedelta(days=40), name="Older")
    return start


@pytest.mark.parametrize(
    ("fields", "deals"),
    [
        ({"trigger": "entering"}, {"Stays", "Lost"}),
        ({"trigger": "entering", "least_amount": 4000}, {"Stays"}),
        ({"trigger": "staying", "days": 5}, {"Stays"}),
        ({"trigger": "staying", "days": 50}, {"Older"}),
        ({"trigger": "leaving"}, set()),
    ],
)
def test_dry_run_tells_what_would_have_fired(
    last_month: dt.datetime, stages: Stages, fields: dict[str, Any], deals: set[str]
) -> None:
    rule = rule_for(stages["meeting"], is_active=False, **fields)
    start, end = month_before(timezone.now())
    found = rehearse(rule, start=start, end=end)
    assert {example.deal.name for example in found.examples} == deals
    assert found.count == found.deals == len(deals)


def test_dry_run_page_says_who_would_have_got_nothing(
    last_month: dt.datetime, settings_client: Client, stages: Stages, admin: User
) -> None:
    shared = EmailTemplate.objects.create(name="Hi", owner=admin, is_shared=True, subject="s", body="b")
    rule = rule_for(stages["meeting"], ("send_template", {"template": shared.pk}), is_active=False)
    before = Deal.objects.count(), RuleFiring.objects.count()
    for name, pk in (("stagerule", rule.pk), ("stage", stages["meeting"].pk)):
        page = settings_client.get(reverse(f"admin:pipeline_{name}_dry_run", args=[pk])).content.decode()
        assert "It would have fired 2 times." in page
        assert "Not done for 1 of the 2 newest: the deal has no contact" in page
    assert (Deal.objects.count(), RuleFiring.objects.count()) == before


def test_reps_see_none_of_it(client: Client, stages: Stages, rep: User) -> None:
    rule = rule_for(stages["meeting"])
    client.force_login(rep)
    for name in ("stagerule_change", "stagerule_dry_run"):
        assert client.get(reverse(f"admin:pipeline_{name}", args=[rule.pk])).status_code in {302, 403}
