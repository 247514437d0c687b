"""Whom a segment finds: always as of now, and never beyond what the asker may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import BooleanField, Case, Q, Value, When

from crm.models import Contact, Lead, Segment, User
from crm.rules.segments.fields import CONTACT, Asking, SegmentField
from crm.rules.segments.refusals import ConditionsRefused, WrongValue
from crm.rules.segments.tree import ROOT, Node, is_group, leaves, parts

COUNTED_FOR = dt.timedelta(seconds=3)
"""Longer a person does not wait for a number."""
QUERY_CANCELED = "57014"
"""PostgreSQL's word for a statement that ran out of time."""


def people_in(segment: Segment, *, seen_by: User | None, now: dt.datetime) -> Any:
    """Return the leads or contacts that `segment` finds among those `seen_by` may see (None, the system: all).

    "Me" is whoever looks, and the segment's owner where the system does. Deals and leads that a condition asks about
    count where `seen_by` sees them; for the system all do. A segment that asks about a field that is gone finds nobody,
    rather than everybody.
    """
    return within(rows_seen(segment.about, seen_by), segment, me=seen_by, now=now)


def within(rows: Any, segment: Segment, *, me: User | None, now: dt.datetime) -> Any:
    """Narrow `rows` (leads or contacts of anybody's choosing) to those in `segment`; None asks for the system."""
    try:
        asking = Asking(now, me or segment.owner, is_system=me is None)
        return narrowed(rows, segment.conditions, about=segment.about, asking=asking)
    except ConditionsRefused:
        return rows.none()


def rows_seen(about: str, by: User | None) -> Any:
    """Return the leads or contacts that `by` may see, or for the system all that are there."""
    rows = (Contact if about == CONTACT else Lead).objects.all()
    return rows.present() if by is None else rows.visible_to(by)


def narrowed(rows: Any, tree: Node, *, about: str, asking: Asking) -> Any:
    """Narrow `rows` to those for which a checked tree holds; ConditionsRefused where it no longer can be asked."""
    condition, expressions = condition_of(tree, about=about, asking=asking)
    return rows.alias(**expressions).filter(condition)


def condition_of(tree: Node, *, about: str, asking: Asking) -> tuple[Q, dict[str, Any]]:
    """Return the tree as a condition, and the computed columns it names."""
    try:
        used: list[SegmentField] = [parts(about, leaf)[0] for leaf in leaves(tree)]
        condition = _condition(tree, about, asking)
    except (WrongValue, KeyError, TypeError, ValueError) as error:
        raise ConditionsRefused({ROOT: str(error)}) from error
    return condition, {field.column: field.expression(asking) for field in used if field.expression is not None}


def holds(segment: Segment, person: Lead | Contact, *, now: dt.datetime) -> bool:
    """Whether `person` is in `segment` now, whoever may see them: what a rule of the system asks."""
    return bool(people_in(segment, seen_by=None, now=now).filter(pk=person.pk).exists())


def segments_of(person: Lead | Contact, *, seen_by: User, now: dt.datetime) -> list[Segment]:
    """Return the segments that `seen_by` may use and that `person` is in, by name; two queries however many."""
    about = str(person._meta.model_name)
    usable = list(Segment.objects.visible_to(seen_by).filter(about=about).select_related("owner"))
    holding = _holding(usable, person, Asking(now, seen_by))
    return [segment for segment in usable if segment.pk in holding]


def _holding(segments: Iterable[Segment], person: Lead | Contact, asking: Asking) -> set[int]:
    """The ids of those segments that hold `person`, asked all at once."""
    expressions: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for segment in segments:
        try:
            condition, more = condition_of(segment.conditions, about=segment.about, asking=asking)
        except ConditionsRefused:
            continue
        expressions |= more
        answers[f"holds_{segment.pk}"] = Case(
            When(condition, then=Value(value=True)), default=Value(value=False), output_field=BooleanField()
        )
    if not answers:
        return set()
    rows: Any = type(person)._default_manager.filter(pk=person.pk)
    found = rows.alias(**expressions).annotate(**answers).values(*answers).first() or {}
    return {int(name.removeprefix("holds_")) for name, is_in in found.items() if is_in}


def count_quickly(rows: Any, *, at_most: dt.timedelta = COUNTED_FOR) -> int | None:
    """Count `rows`; None where that takes longer than a person waits, however many there are."""
    return _timed(lambda: rows.order_by().count(), at_most)


def first_quickly(rows: Any, count: int, *, at_most: dt.timedelta = COUNTED_FOR) -> list[Any]:
    """Return the first of `rows`; none where that takes longer than a person waits."""
    return _timed(lambda: list(rows[:count]), at_most) or []


def _timed(ask: Any, at_most: dt.timedelta) -> Any:
    """Ask within a time limit and with room to hash; the settings end with the transaction, or here inside another."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            (before,) = cursor.fetchone()
            milliseconds = int(at_most.total_seconds() * 1000)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            cursor.execute("SELECT set_config('work_mem', '32MB', true)")
            answer = ask()
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
            return answer
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != QUERY_CANCELED:
            raise
        return None


def _condition(node: Any, about: str, asking: Asking) -> Q:
    if not is_group(node):
        field, operator = parts(about, node)
        return operator.condition(field, node.get("value"), asking)
    below = [_condition(child, about, asking) for child in node["of"]]
    if node["join"] == "all":
        return Q(*below)
    either = Q(*below, _connector=Q.OR)
    return ~either if node["join"] == "none" else either
