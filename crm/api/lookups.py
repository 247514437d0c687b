"""What other fields name by id: people, sources, reasons; and who one is."""

from __future__ import annotations

from typing import Any

from ninja import Router

from crm.api.authenticating import ApiRequest
from crm.api.shapes import NamedRef, PersonRef, SlugRef
from crm.models import ApiToken, DisqualifyReason, LeadSource, User

router = Router(tags=["lookups"])


class Me(PersonRef):
    """The person a token acts for, and what it may."""

    role: User.Role
    language: str
    time_zone: str
    scope: ApiToken.Scope


@router.get("/me", response=Me, url_name="me")
def me(request: ApiRequest) -> dict[str, Any]:
    """Who the token acts for."""
    person = request.user
    fields = {name: getattr(person, name) for name in ("name", "email", "role", "language", "time_zone")}
    return {"id": person.pk, **fields, "scope": request.auth.scope}


class PersonShape(PersonRef):
    """Somebody whose records one may read."""

    role: User.Role
    is_active: bool


@router.get("/people", response=list[PersonShape], url_name="people")
def people(request: ApiRequest) -> Any:
    """People whose records one may read: owners and assignees."""
    return User.objects.visible_to(request.user)


@router.get("/sources", response=list[SlugRef], url_name="sources")
def sources(request: ApiRequest) -> Any:  # noqa: ARG001 (the framework passes it)
    """Where leads come from, without the archived."""
    return LeadSource.objects.filter(is_archived=False)


@router.get("/disqualify-reasons", response=list[NamedRef], url_name="disqualify_reasons")
def disqualify_reasons(request: ApiRequest) -> Any:  # noqa: ARG001 (the framework passes it)
    """Why a lead is no customer, without the archived."""
    return DisqualifyReason.objects.filter(is_archived=False)
