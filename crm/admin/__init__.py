"""What an admin shapes in the Django admin: people, teams, sources, rates; and what they may only look at."""

from crm.admin import audit, leads, money, outbox, people, site, tokens, working_time

__all__ = ["audit", "leads", "money", "outbox", "people", "site", "tokens", "working_time"]
from crm.admin import lead_forms

__all__ = ["audit", "lead_forms", "leads", "money", "outbox", "people", "site"]
