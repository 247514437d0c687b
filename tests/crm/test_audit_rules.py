"""Who did it: rules call rules, and each change is written down as its own actor's."""

from __future__ import annotations

import pytest

from crm.models import AuditEntry, Lead, User
from crm.rules.audit import acting, coming_through
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db


def rename(lead: Lead, name: str) -> None:
    Lead.objects.filter(pk=lead.pk).update(name=name)


def written(lead: Lead) -> list[tuple[str, User | None, str, str]]:
    entries = AuditEntry.objects.about("lead", lead.pk).filter(action="changed").order_by("pk")
    return [(entry.after["name"], entry.actor, entry.through, entry.note) for entry in entries]


def test_inner_actor_gives_way_to_the_outer(rep: User) -> None:
    lead = LeadFactory()
    with coming_through("web"), acting(rep, note="outer"):
        rename(lead, "by rep")
        with acting(None, note="inner"):
            rename(lead, "by the system")
        rename(lead, "by rep again")

    assert written(lead) == [
        ("by rep", rep, "web", "outer"),
        ("by the system", None, "web", "inner"),
        ("by rep again", rep, "web", "outer"),
    ]


def test_after_a_refusal_inside_the_outer_goes_on(rep: User) -> None:
    lead = LeadFactory()
    with acting(rep):
        with pytest.raises(ValueError, match="refused"), acting(None):
            rename(lead, "taken back")
            raise ValueError("refused")
        rename(lead, "by rep")

    assert [(name, actor) for name, actor, _through, _note in written(lead)] == [("by rep", rep)]
