"""What an admin shapes in the Django admin: people, teams, sources, rates; and what they may only look at."""

from crm.admin import (
    assigning,
    audit,
    lead_forms,
    leads,
    mailboxes,
    money,
    outbox,
    people,
    qualifying,
    scores,
    second_factors,
    site,
    tokens,
    working_time,
)

__all__ = [
    "assigning",
    "audit",
    "lead_forms",
    "leads",
    "mailboxes",
    "money",
    "outbox",
    "people",
    "qualifying",
    "scores",
    "second_factors",
    "site",
    "tokens",
    "working_time",
]
