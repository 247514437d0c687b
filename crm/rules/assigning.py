"""Giving new leads to people: an admin's rules are asked in their order, and the first that finds somebody decides.

Whoever takes part in a turn is chosen under a lock on the rule, so that leads that come in at the same instant go to
different people. Each gift is an audit entry that names the rule.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from django.db.models import Count, F, Q

from crm.models import AssignmentRule, AssignmentTurn, Lead, User
from crm.rules.audit import acting
from crm.rules.availability import availability_of, substitute_for
from crm.rules.response_clock import Clocks
from crm.rules.segments import holds
from crm.rules.wall_clock import WallTime

OPEN = Q(status__in=(Lead.Status.NEW, Lead.Status.WORKING, Lead.Status.QUALIFIED))
"""What counts as a person's load."""

_NOTE = re.compile(r"assignment rule (\d+), (\w+)")


def assign_new_lead(lead: Lead, *, now: dt.datetime) -> User | None:
    """Give a lead that nobody owns to whom the assignment rules say; return the person, or None where none says.

    `lead` is brought up to date. A lead of no team becomes the rule's team's, and its clock keeps to the working hours
    of whoever has it now. Together with creating the lead this is one transaction.
    """
    if lead.owner_id is not None or lead.status != Lead.Status.NEW:
        return None
    for rule in AssignmentRule.objects.in_force():
        if not rule.asks_for(lead) or (rule.segment and not holds(rule.segment, lead, now=now)):
            continue
        with acting(None, note=note_of(rule)):
            person = _choose(rule, now=now)
            if person is not None:
                return person if _give(lead, person, rule, now=now) else None
    return None


def give_out(leads: Sequence[Lead], *, else_to: User | None, now: dt.datetime) -> None:
    """Give several new leads that nobody owns out at once, those for whom no rule finds somebody to `else_to`.

    Part of a longer transaction, such as a step of an import: the rules are locked in the order in which they are
    asked, so that two such never wait for each other in a circle.
    """
    in_order = AssignmentRule.objects.filter(is_active=True).order_by("position", "pk")
    list(in_order.select_for_update(no_key=True).values_list("pk"))
    for lead in leads:
        if assign_new_lead(lead, now=now) is None and else_to is not None:
            lead.owner = else_to
            lead.answer_by = Clocks(now).answer_by(lead)
            lead.save(update_fields=["owner", "answer_by"])


def note_of(rule: AssignmentRule) -> str:
    """Return what the audit log notes of a lead given by `rule`."""
    return f"assignment rule {rule.pk}, {rule.method}"


def rule_noted(note: str) -> tuple[int, str] | None:
    """Return the rule's id and method out of an audit note of `note_of`; None for any other note."""
    found = _NOTE.fullmatch(note)
    return (int(found[1]), found[2]) if found else None


def _give(lead: Lead, person: User, rule: AssignmentRule, *, now: dt.datetime) -> bool:
    """Make `person` the owner, unless somebody was quicker; the clock then runs in their working hours."""
    lead.owner, lead.team = person, lead.team or rule.team
    changes = {"owner": person, "team": lead.team, "answer_by": Clocks(now).answer_by(lead)}
    is_given = Lead.objects.present().filter(pk=lead.pk, owner=None).update(version=F("version") + 1, **changes)
    lead.refresh_from_db()
    return bool(is_given)


# --- Choosing one of the rule's people ------------------------------------------------------------------------------


def _choose(rule: AssignmentRule, *, now: dt.datetime) -> User | None:
    """Choose one of the rule's people, alone while doing so, and note that they have had their turn."""
    locked = AssignmentRule.objects.select_for_update(no_key=True, of=("self",)).get(pk=rule.pk)
    people = _at_work(_with_substitute(rule, now=now), rule, now=now)
    if not people:
        return None
    turns = dict(AssignmentTurn.objects.filter(rule=rule).values_list("user_id", "number"))
    loads = _loads(people) if rule.method == AssignmentRule.Method.LOAD else {}
    chosen = min(people, key=lambda person: (loads.get(person.pk, 0), turns.get(person.pk, 0), person.pk))
    number = locked.turn + 1
    AssignmentRule.objects.filter(pk=rule.pk).update(turn=number)
    AssignmentTurn.objects.update_or_create(rule=rule, user=chosen, defaults={"number": number})
    return chosen


def _with_substitute(rule: AssignmentRule, *, now: dt.datetime) -> list[User]:
    """The rule's people; for a person named alone who is away, whoever stands in for them."""
    people = rule.candidates()
    if rule.method != AssignmentRule.Method.PERSON or rule.at_work == AssignmentRule.AtWork.ANY or not people:
        return people
    today = WallTime.of(now, people[0].time_zone).local.date()
    substitute = substitute_for(people[0], on=today)
    return [substitute] if substitute and substitute.may_write else people


def _at_work(people: Sequence[User], rule: AssignmentRule, *, now: dt.datetime) -> list[User]:
    """Those of `people` who are at work now; where nobody is, and the rule waits for them, whoever begins first."""
    if rule.at_work == AssignmentRule.AtWork.ANY:
        return list(people)
    when = availability_of(people)
    present = [person for person in people if when[person.pk].is_at_work(now)]
    if present or rule.at_work == AssignmentRule.AtWork.NOW:
        return present
    begins = {person.pk: at for person in people if (at := when[person.pk].next_shift(now)) is not None}
    first = min(begins.values(), default=None)
    return [person for person in people if person.pk in begins and begins[person.pk] == first]


def _loads(people: Sequence[User]) -> dict[int, int]:
    """How many open leads each of `people` has."""
    theirs = Lead.objects.present().filter(OPEN, owner__in=people).order_by()
    return dict(theirs.values_list("owner").annotate(count=Count("pk")))
