"""Which records a message without a place may belong to: asked of a whole list of messages in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Func, IntegerField, TextField, Value, Window
from django.db.models.functions import Lower, RowNumber

from crm.models import Contact, Lead, User
from crm.models.keys import FREE_MAIL
from crm.rules.receiving.placing import MOST_SUGGESTED, Reach, people_by_address

Person = Contact | Lead
Widen = Callable[[Collection[Person]], Mapping[Person, Iterable[Any]]]
"""Further records a message from each of these people may be about; apps above add theirs."""
wideners: list[Widen] = []

MOST_OF_A_DOMAIN = MOST_OF_A_NAME = 3


class Correspondent(NamedTuple):
    """Whom a message came from or went to."""

    address: str
    name: str


def suggestions(asked: Collection[Correspondent], *, by: User) -> dict[Correspondent, list[Any]]:
    """Return, for each, the records of `by` to which their messages may belong, the likeliest first."""
    found = _people(asked, Reach(by))
    people = set(chain.from_iterable(found.values()))
    wider = [widen(people) for widen in wideners]
    everything = {person: [*chain.from_iterable(each.get(person, ()) for each in wider), person] for person in people}
    changeable = _changeable(chain.from_iterable(everything.values()), by)
    return {
        each: [
            record
            for record in dict.fromkeys(chain.from_iterable(everything[person] for person in found[each]))
            if record in changeable
        ][:MOST_SUGGESTED]
        for each in asked
    }


def _people(asked: Collection[Correspondent], reach: Reach) -> dict[Correspondent, list[Person]]:
    """Who has the address, else who has one at the same company's; then who has the name."""
    known = people_by_address({each.address for each in asked}, reach)
    strange = [each for each in asked if not known.get(each.address)]
    colleagues = _by_domain({_domain(each) for each in strange} - {""} - FREE_MAIL, reach)
    found = {each: [*(known.get(each.address) or colleagues.get(_domain(each), []))] for each in asked}
    namesakes = _by_name({each.name for each in asked if each.name and len(found[each]) < MOST_SUGGESTED}, reach)
    for each, people in found.items():
        if len(people) < MOST_SUGGESTED:
            people += [person for person in namesakes.get(each.name, ()) if person not in people]
        people.sort(key=lambda person, name=each.name: person.name.casefold() != name.casefold())  # type: ignore[misc]
    return found


def _domain(asked: Correspondent) -> str:
    return asked.address.rpartition("@")[2]


def _by_domain(domains: Collection[str], reach: Reach) -> dict[str, list[Contact]]:
    if not domains:
        return {}
    domain = Func(Lower("email"), Value("@"), Value(-1), function="split_part", output_field=TextField())
    nth = Window(RowNumber(), partition_by="domain", order_by=("-last_touch_at", "-pk"))
    rows = reach.of(Contact).annotate(domain=domain).filter(domain__in=domains).annotate(nth=nth)
    found = defaultdict(list)
    for contact in rows.filter(nth__lte=MOST_OF_A_DOMAIN).order_by("nth"):
        found[contact.domain].append(contact)
    return found


def _by_name(names: Collection[str], reach: Reach) -> dict[str, list[Contact]]:
    asked: Sequence[str] = sorted(names)
    if not asked:
        return {}
    first, *others = (
        reach.of(Contact).matching(name).annotate(asked=Value(at, IntegerField()))[:MOST_OF_A_NAME]
        for at, name in enumerate(asked)
    )
    found = defaultdict(list)
    for contact in first.union(*others, all=True):
        found[asked[contact.asked]].append(contact)
    return found


def _changeable(records: Iterable[Any], by: User) -> set[Any]:
    """Those of `records` that `by` may change; one query a kind."""
    wanted: dict[type[Any], set[int]] = defaultdict(set)
    for record in records:
        wanted[type(record)].add(record.pk)
    rows = (model.objects.editable_by(by).filter(pk__in=pks) for model, pks in wanted.items())
    return set(chain.from_iterable(rows))
