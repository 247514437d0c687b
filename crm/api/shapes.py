"""What records look like on the wire, and the pieces they share."""

from __future__ import annotations

import json
from typing import Any, Generic, TypeVar

from ninja import Schema
from ninja.responses import NinjaJSONEncoder
from pydantic import ConfigDict

from crm.models import User

Item = TypeVar("Item")
_SHAPES: dict[type, type[Schema]] = {}


class Sent(Schema):
    """A body: fields by name, and no others."""

    model_config = ConfigDict(extra="forbid")


class SeenRecord(Sent):
    """A body that changes a record as it was seen: with another version than the present one the answer is 409."""

    version: int


class Page(Schema, Generic[Item]):
    """A page of a list; `next` is the address of the one that follows, null at the end."""

    items: list[Item]
    next: str | None


class PersonRef(Schema):
    """Somebody of the organisation."""

    id: int
    name: str
    email: str


class NamedRef(Schema):
    """Something with a name, in the language of the token's person where it has two."""

    id: int
    name: str

    @staticmethod
    def resolve_name(row: Any) -> str:
        """Return the name in the language being spoken."""
        return str(row)


class SlugRef(NamedRef):
    """Something an admin named; `slug` never changes."""

    slug: str


class SubjectRef(Schema):
    """What an activity or follow-up is about: lead, contact, company or deal."""

    kind: str
    id: int


def subject_ref(row: Any) -> SubjectRef:
    """Return the reference to the subject of an activity or follow-up."""
    return SubjectRef(kind=row.subject_type.model, id=row.subject_id)


def shape_of(model: type, shape: type[Schema]) -> None:
    """Declare how records of `model` look, for the fresh state of a conflict."""
    _SHAPES[model] = shape


def shaped(record: Any) -> dict[str, Any]:
    """Return a record as JSON, written as the framework writes what is read."""
    shape = _SHAPES[type(record)].from_orm(record).model_dump()
    return json.loads(json.dumps(shape, cls=NinjaJSONEncoder))


def fresh_state(refusal: Exception, person: User) -> dict[str, Any] | None:
    """Return what a refusal says the record is now; None where it says nothing, or the person no longer sees it."""
    record: Any = next((vars(refusal)[name] for name in ("record", "lead", "deal") if name in vars(refusal)), None)
    if record is None:
        return None
    fresh = type(record).objects.visible_to(person).filter(pk=record.pk).first()
    return shaped(fresh) if fresh else None
