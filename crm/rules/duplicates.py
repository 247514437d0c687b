"""Says who may be there already: records with the same e-mail, phone or domain, or a name like the one written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crm.models import Company, Contact, Lead, User
from crm.models.duplicates import Reason, Strength
from crm.models.phones import read_phone
from crm.rules.candidates import SIMILAR, Candidate, Facts, SimilarNames, candidates

MODELS: dict[str, Any] = {"lead": Lead, "contact": Contact, "company": Company}
"""The kinds of records of which two may be one."""
OF_ONE_FAMILY = 0.3
"""Two names less alike than this are two people, who may share an address or a telephone."""
VERY_SIMILAR = 0.6
"""Names at least as alike may be one, mistyped, where nothing else is known."""
TELLING_WORDS = 2
"""A first name alone tells nobody from another."""


@dataclass(frozen=True)
class Suspect:
    """A record that may be meant, why, and how sure that is."""

    record: Any
    reasons: tuple[Reason, ...]
    strength: Strength

    @property
    def is_same(self) -> bool:
        """Whether it is sure enough to be proposed: not by a phone alone, which a whole office may share."""
        said_by_more = bool({Reason.EMAIL, Reason.NAME, Reason.DOMAIN}.intersection(self.reasons))
        return self.strength == Strength.CERTAIN or (self.strength == Strength.LIKELY and said_by_more)

    @property
    def why(self) -> str:
        """The reasons in words."""
        return ", ".join(str(reason.label) for reason in self.reasons)

    @property
    def record_kind(self) -> str:
        """What kind of record it is, in words."""
        return str(self.record._meta.verbose_name)

    @property
    def is_namesake(self) -> bool:
        """Whether it has the same name, whatever else may differ."""
        return Reason.NAME in self.reasons

    def __str__(self) -> str:
        return f"{self.record} · {self.why}"


def suspects(
    kind: str,
    *,
    name: str = "",
    email: str = "",
    phone: str = "",
    company: str = "",
    domain: str = "",
    seen_by: User | None,
    exclude: Iterable[int] = (),
) -> list[Suspect]:
    """Return the records of `kind` that may be the one described, the surest first.

    Only what `seen_by` may see; None is the system itself, which sees all. `exclude` holds ids, of the record itself.
    """
    facts = Facts(name=name, email=email, phone=phone, company=company, domain=domain)
    return suspects_of_each(kind, [facts], seen_by=seen_by, exclude=exclude, similar=SimilarNames.EVERYWHERE)[0]


def suspects_of_each(
    kind: str,
    rows: Sequence[Facts],
    *,
    seen_by: User | None,
    exclude: Iterable[int] = (),
    similar: SimilarNames = SimilarNames.AMONG_COLLEAGUES,
) -> list[list[Suspect]]:
    """Return for each of `rows` what `suspects` would, in two queries for all of them.

    Without `similar` names none is missed that `is_same`; beyond the same company they cost some milliseconds a row.
    """
    excluded = set(exclude)
    judged: dict[int, list[tuple[int, tuple[Reason, ...], Strength]]] = defaultdict(list)
    for candidate in candidates(kind, rows, similar=similar):
        if candidate.record_id not in excluded and (verdict := judge(kind, candidate, rows[candidate.place])):
            judged[candidate.place].append((candidate.record_id, *verdict))
    ids = {record_id for found in judged.values() for record_id, *_rest in found}
    seen = records_seen_by(seen_by, kind).in_bulk(list(ids)) if ids else {}
    return [
        sorted(
            (Suspect(seen[pk], reasons, strength) for pk, reasons, strength in judged[place] if pk in seen),
            key=lambda suspect: (-suspect.strength, -suspect.record.pk),
        )
        for place in range(len(rows))
    ]


def records_seen_by(user: User | None, kind: str) -> Any:
    """The records of `kind` that `user` may see; None, the system, sees all that nobody deleted."""
    rows = MODELS[kind].objects.present() if user is None else MODELS[kind].objects.visible_to(user)
    return rows.select_related("company") if kind == "contact" else rows


def judge(kind: str, candidate: Candidate, facts: Facts) -> tuple[tuple[Reason, ...], Strength] | None:
    """Weigh what a candidate has in common with what was written; None where that is too little to mention."""
    has_same_phone = _has_same_phone(candidate.phone, facts.phone)
    agreed = {
        Reason.EMAIL: candidate.has_same_email,
        Reason.PHONE: has_same_phone,
        Reason.DOMAIN: candidate.has_same_domain,
        Reason.NAME: candidate.is_same_name,
        Reason.SIMILAR_NAME: not candidate.is_same_name and candidate.name_likeness >= SIMILAR,
        Reason.COMPANY: candidate.has_same_company,
    }
    if kind == "company":
        strength = _strength_of_organisations(candidate)
    else:
        strength = _strength_of_people(candidate, has_same_phone=has_same_phone)
    return (tuple(reason for reason, agrees in agreed.items() if agrees), strength) if strength else None


def _strength_of_people(candidate: Candidate, *, has_same_phone: bool | None) -> Strength | None:
    addresses = (candidate.has_same_email, has_same_phone)
    shared, different = addresses.count(True), addresses.count(False)
    if shared:
        is_named_so = candidate.is_same_name is None or candidate.name_likeness >= OF_ONE_FAMILY
        return Strength.CERTAIN if shared > 1 or is_named_so else Strength.LIKELY
    if candidate.has_same_company:
        if candidate.is_same_name:
            return Strength.LIKELY
        return Strength.POSSIBLE if candidate.name_likeness >= SIMILAR else None
    # A name alone says something where no other company and no two other addresses speak against it.
    is_telling = candidate.name_likeness >= VERY_SIMILAR and candidate.words >= TELLING_WORDS
    is_contradicted = candidate.has_same_company is False or different > 1
    return Strength.POSSIBLE if is_telling and not is_contradicted else None


def _strength_of_organisations(candidate: Candidate) -> Strength | None:
    if candidate.has_same_domain:
        return Strength.CERTAIN if candidate.name_likeness >= OF_ONE_FAMILY else Strength.LIKELY
    if candidate.is_same_name:
        return Strength.LIKELY if candidate.has_same_domain is None else Strength.POSSIBLE
    is_similar = candidate.name_likeness >= SIMILAR and candidate.has_same_domain is None
    return Strength.POSSIBLE if is_similar else None


def _has_same_phone(left: str, right: str) -> bool | None:
    """Whether two numbers are one; None where either is none."""
    first, second = read_phone(left), read_phone(right)
    return first.is_same(second) if first and second else None
