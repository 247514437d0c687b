"""Finds the records of a kind that share a key with what somebody wrote: one statement for one row or for thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection

MOST_SHARING = 100
"""So many records of one e-mail or number are looked at; what more share it says nothing (“000-00-00”)."""
MOST_NAMESAKES = 20
"""A name that more records bear tells nobody from another."""
MOST_COLLEAGUES = 500
"""Among so many of a company a similar name is looked for."""
TELLING_PERSON = "length(asked.name_key) > 4 AND asked.name_key LIKE '%% %%'"
TELLING_COMPANY = "length(asked.name_key) > 4"
"""What a name must be to be like another: of a few letters, or a first name alone, it is like half the world."""
SIMILAR = 0.5
"""How alike (trigrams, 0 to 1) two names are called similar: a letter left out, one word of three different."""


class SimilarNames(StrEnum):
    """Where names that are alike, but not the same, are looked for: the further, the longer it takes."""

    NOWHERE = "nowhere"
    AMONG_COLLEAGUES = "among colleagues"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Facts:
    """What somebody wrote of a person or organisation; empty where nothing."""

    name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    domain: str = ""


@dataclass(frozen=True)
class Candidate:
    """A record that shares a key with row number `place`; each comparison is None where either side says nothing."""

    place: int
    record_id: int
    phone: str
    is_same_name: bool | None
    name_likeness: float
    words: int
    has_same_email: bool | None = None
    has_same_company: bool | None = None
    has_same_domain: bool | None = None


def candidates(kind: str, rows: Sequence[Facts], *, similar: SimilarNames) -> list[Candidate]:
    """Find candidates for each of `rows` among the leads, contacts or companies nobody has deleted.

    `similar` names are looked for everywhere in some milliseconds a row: for one row, not for a file; among the
    colleagues at a company in less, but by each of them.
    """
    columns = [[getattr(row, name).replace("\0", "") for row in rows] for name in Facts.__dataclass_fields__]
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS[kind, similar], columns)
        return [Candidate(*found) for found in cursor.fetchall()]


def _sharing(table: str, key: str, most: int) -> str:
    """Records with the asked key; past `most` none, where so many bear it that it tells nothing."""
    return f"(SELECT id FROM {table} WHERE {key} = asked.{key} AND {key} > '' AND deleted_at IS NULL LIMIT {most})"  # noqa: S608 (our own words)


def _namesakes(table: str) -> str:
    return (
        f"(SELECT unnest(ids) FROM (SELECT array_agg(id) AS ids FROM"  # noqa: S608 (our own words)
        f" {_sharing(table, 'name_key', MOST_NAMESAKES + 1)} namesake) all_of_them"
        f" WHERE cardinality(ids) <= {MOST_NAMESAKES})"
    )


def _similar(table: str, is_telling: str) -> str:
    """Records with a similar name, on the index of the text search; one that many bear tells nothing."""
    return (
        f"(SELECT id FROM {table} WHERE {is_telling} AND asked.name_key <%% search"  # noqa: S608 (our own words)
        f" AND name_key <> asked.name_key AND deleted_at IS NULL AND similarity(name_key, asked.name_key) >= {SIMILAR}"
        f" ORDER BY similarity(name_key, asked.name_key) DESC LIMIT {MOST_NAMESAKES})"
    )


# Materialized: else PostgreSQL works out the keys of what was asked anew for each record it is compared with.
_ASKED = """
WITH asked AS MATERIALIZED (
    SELECT place::int - 1 AS place, @name_key@ AS name_key, lower(btrim(email)) AS email_key,
        crm_phone_key(phone) AS phone_key, crm_company_key(company) AS company_key, crm_domain_key(domain) AS domain_key
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
        WITH ORDINALITY AS given (name, email, phone, company, domain, place)
)
SELECT asked.place, record.id, @phone@, nullif(record.name_key, '') = nullif(asked.name_key, ''),
    similarity(record.name_key, asked.name_key), cardinality(string_to_array(asked.name_key, ' '))@comparisons@
FROM asked
CROSS JOIN LATERAL (@found@) found
JOIN @table@ record ON record.id = found.id @join@
ORDER BY asked.place, record.id
"""


def _same(record_key: str, asked_key: str) -> str:
    return f", nullif({record_key}, '') = nullif(asked.{asked_key}, '')"


def _people(table: str, *, company_key: str, join: str, colleagues: str, similar: SimilarNames) -> str:
    namesakes_there = (
        f"(SELECT id FROM ({colleagues}) colleague WHERE name_key = asked.name_key LIMIT {MOST_COLLEAGUES})"  # noqa: S608 (our own words)
    )
    similar_there = (
        f"(SELECT id FROM ({colleagues} LIMIT {MOST_COLLEAGUES}) colleague"  # noqa: S608 (our own words)
        f" WHERE similarity(colleague.name_key, asked.name_key) >= {SIMILAR})"
    )
    found = [
        _sharing(table, "email_key", MOST_SHARING),
        _sharing(table, "phone_key", MOST_SHARING),
        _namesakes(table),
        namesakes_there if similar == SimilarNames.NOWHERE else similar_there,
        *([_similar(table, TELLING_PERSON)] if similar == SimilarNames.EVERYWHERE else []),
    ]
    return _stated(
        {
            "name_key": "crm_person_key(name)",
            "phone": "record.phone",
            "comparisons": _same("record.email_key", "email_key") + _same(company_key, "company_key"),
            "found": " UNION ".join(found),
            "table": table,
            "join": join,
        }
    )


def _stated(parts: dict[str, str]) -> str:
    statement = _ASKED
    for name, part in parts.items():
        statement = statement.replace(f"@{name}@", part)
    return statement


def _of_leads(*, similar: SimilarNames) -> str:
    colleagues = (
        "SELECT id, name_key FROM crm_lead"
        " WHERE company_key = asked.company_key AND company_key > '' AND deleted_at IS NULL"
    )
    return _people("crm_lead", company_key="record.company_key", join="", colleagues=colleagues, similar=similar)


def _of_contacts(*, similar: SimilarNames) -> str:
    colleagues = (
        "SELECT contact.id, contact.name_key FROM crm_contact contact"
        " JOIN crm_company company ON company.id = contact.company_id WHERE company.name_key = asked.company_key"
        " AND company.name_key > '' AND company.deleted_at IS NULL AND contact.deleted_at IS NULL"
    )
    join = "LEFT JOIN crm_company company ON company.id = record.company_id"
    return _people("crm_contact", company_key="company.name_key", join=join, colleagues=colleagues, similar=similar)


def _of_companies(*, similar: SimilarNames) -> str:
    found = [_sharing("crm_company", "domain_key", MOST_SHARING), _namesakes("crm_company")]
    return _stated(
        {
            "name_key": "crm_company_key(name)",
            "phone": "''",
            "comparisons": ", NULL, NULL" + _same("record.domain_key", "domain_key"),
            "found": " UNION ".join(
                [*found, _similar("crm_company", TELLING_COMPANY)] if similar == SimilarNames.EVERYWHERE else found
            ),
            "table": "crm_company",
            "join": "",
        }
    )


_STATEMENTS = {
    (kind, similar): written(similar=similar)
    for kind, written in {"lead": _of_leads, "contact": _of_contacts, "company": _of_companies}.items()
    for similar in SimilarNames
}
