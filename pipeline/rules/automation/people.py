"""Actions about people: telling them of a deal, and giving it to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Notification, OutboxRow, Team, User
from crm.rules import outbox
from crm.rules.availability import availability_of
from crm.rules.notice_kinds import NoticeKind
from crm.rules.notice_kinds import register as register_notice
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell
from crm.rules.wall_clock import WallTime
from pipeline.models import Deal, StageAction, StageRule
from pipeline.rules.automation.kinds import (
    Act,
    ActionKind,
    Line,
    NotDone,
    OneOf,
    Row,
    Values,
    WrongParameter,
    register,
)
from pipeline.rules.deals import edit_deal

NOTICE = "stage_notice"
KIND = register_notice(NoticeKind(NOTICE, gettext_lazy("What stage rules tell you"), icon="bolt"))


def managers_of(deal: Deal) -> list[User]:
    """Return those who lead the team of the deal's owner."""
    if deal.owner.team_id is None:
        return []
    return list(User.objects.active().filter(led_teams=deal.owner.team_id).order_by("pk"))


def _people() -> Any:
    return User.objects.active()


def _sellers() -> Any:
    return User.objects.active().exclude(role=User.Role.VIEWER)


def _teams() -> Any:
    return Team.objects.all()


def _named(choice: str, name: str, values: Values) -> None:
    """Refuse a choice of a person or team that does not say whom."""
    if values[choice] == name and values.get(name) is None:
        raise WrongParameter(name, _("Say this."))


# --- Telling ----------------------------------------------------------------------------------------------------------


def _notify(act: Act, values: Values) -> str:
    people = [person for person in _told(act.deal, values) if person.is_active]
    if not people:
        raise NotDone("nobody")
    told = [person for person in people if Deal.objects.visible_to(person).filter(pk=act.deal.pk).exists()]
    if not told:
        raise NotDone("nobody_sees")
    payload = {"deal": act.deal.pk, "rule": act.firing.rule_id, "action": act.action.pk}
    key = f"{NOTICE}:{act.firing.pk}:{act.firing.serial}:{act.action.pk}"
    outbox.queue(Intent(NOTICE, f"{key}:{person.pk}", person.pk, act.now, payload) for person in told)
    return ", ".join(map(str, told))


def _told(deal: Deal, values: Values) -> Sequence[User]:
    if values["to"] == "person":
        return [values["person"]]
    if values["to"] == "team":
        return list(User.objects.active().filter(team=values["team"]).order_by("pk"))
    return managers_of(deal) if values["to"] == "manager" else [deal.owner]


def _check_named(values: Values) -> None:
    _named("to", "person", values)
    _named("to", "team", values)


NOTIFY = register(
    ActionKind(
        "notify",
        gettext_lazy("Notify"),
        _notify,
        (
            OneOf(
                name="to",
                label=gettext_lazy("Whom"),
                choices=(
                    ("owner", gettext_lazy("the deal's owner")),
                    ("manager", gettext_lazy("the owner's manager")),
                    ("person", gettext_lazy("a person")),
                    ("team", gettext_lazy("a team")),
                ),
            ),
            Row(name="person", label=gettext_lazy("Person"), rows=_people, is_required=False),
            Row(name="team", label=gettext_lazy("Team"), rows=_teams, is_required=False),
            Line(
                name="text",
                label=gettext_lazy("What is said"),
                help=gettext_lazy("Empty: the rule's name. The deal is named in any case."),
                is_required=False,
            ),
            Line(name="text_ru", label=gettext_lazy("What is said, in Russian"), is_required=False),
        ),
        check=_check_named,
        place=40,
    )
)


def _send(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell one person of the deal, in their language; nothing where they may no longer see it."""
    person = row.recipient
    deals = Deal.objects.none() if person is None else Deal.objects.visible_to(person)
    deal = deals.filter(pk=row.payload["deal"]).select_related("stage", "company", "owner").first()
    rule = StageRule.objects.filter(pk=row.payload["rule"]).first()
    if person is None or deal is None or rule is None:
        return NotNeeded("moved on, handed over or gone")
    with translation.override(person.language):
        said = _said(rule, StageAction.objects.filter(pk=row.payload["action"]).first())
        text = _("“%(deal)s”: %(said)s") % {"deal": deal, "said": said}
    notice = Notification(user=person, kind=KIND.key, dedupe_key=row.dedupe_key, subject=deal, text=text[:300])
    return tell(row, News(person, [notice], NOTICE, {"deal": deal, "headline": said, "note": ""}), postbox)


def _said(rule: StageRule, action: StageAction | None) -> str:
    stored = action.parameters if action else {}
    russian = stored.get("text_ru", "") if translation.get_language().startswith("ru") else ""
    return str(russian or stored.get("text") or rule)


outbox.register(Sender(NOTICE, _send, digest=outbox.LATE_NEWS, label=KIND.label))


# --- Giving -----------------------------------------------------------------------------------------------------------


def _assign(act: Act, values: Values) -> str:
    person = values["person"] if values["to"] == "person" else _next_in_turn(act, values["team"])
    if person.pk == act.deal.owner_id:
        raise NotDone("unchanged", str(person))
    act.deal = edit_deal(act.deal, fields={"owner": person}, seen_version=act.deal.version, by=None)
    return str(person)


def _next_in_turn(act: Act, team: Team) -> User:
    """Choose the rep of the team whose last turn is the longest ago; who is away today is passed over."""
    action = StageAction.objects.select_for_update(no_key=True).get(pk=act.action.pk)
    reps = list(_sellers().filter(team=team, role=User.Role.REP).select_related("team").order_by("pk"))
    when = availability_of(reps)
    there = [rep for rep in reps if not when[rep.pk].is_away_on(WallTime.of(act.now, rep.time_zone).local.date())]
    if not reps:
        raise NotDone("nobody", str(team))
    chosen = min(there or reps, key=lambda rep: (action.turns.get(str(rep.pk), 0), rep.pk))
    action.turns[str(chosen.pk)] = max(action.turns.values(), default=0) + 1
    action.save(update_fields=["turns"])
    return chosen


ASSIGN = register(
    ActionKind(
        "assign",
        gettext_lazy("Give the deal to"),
        _assign,
        (
            OneOf(
                name="to",
                label=gettext_lazy("Whom"),
                choices=(
                    ("person", gettext_lazy("a person")),
                    ("team", gettext_lazy("the reps of a team in turn")),
                ),
            ),
            Row(name="person", label=gettext_lazy("Person"), rows=_sellers, is_required=False),
            Row(name="team", label=gettext_lazy("Team"), rows=_teams, is_required=False),
        ),
        check=_check_named,
        place=50,
    )
)
