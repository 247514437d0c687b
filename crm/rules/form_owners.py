"""Whose the next lead of a form is."""

from __future__ import annotations

from crm.models import LeadForm, User


def owner_of_next(form: LeadForm) -> User | None:
    """Return who gets the next lead of `form` (a locked row), or nobody; a team's people take turns."""
    match form.owner_rule:
        case LeadForm.OwnerRule.PERSON:
            return form.owner if form.owner and _may_sell(form.owner) else None
        case LeadForm.OwnerRule.TEAM:
            return _next_of_team(form)
    return None


def _may_sell(person: User) -> bool:
    return person.is_active and person.may_write


def _next_of_team(form: LeadForm) -> User | None:
    """The one after who had the last turn, in the order in which they joined; those who left are passed over."""
    people = User.objects.active().exclude(role=User.Role.VIEWER).filter(team=form.team_id or 0).order_by("pk")
    chosen = people.filter(pk__gt=form.turn_id or 0).first() or people.first()
    if chosen is not None:
        LeadForm.objects.filter(pk=form.pk).update(turn=chosen)
        form.turn = chosen
    return chosen
