"""What a record's fields were, as JSON: to take an import back, and to know what the last import left."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Model


def plain(value: Any) -> Any:
    """A field's value as it is kept in JSON, the same for equal values."""
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def current(record: Model, names: list[str]) -> dict[str, Any]:
    """What the named fields of a record hold now."""
    return {name: plain(getattr(record, column_of(record, name))) for name in names}


def column_of(record: Model, name: str) -> str:
    """The attribute with a field's own value: of a reference, its key."""
    return str(getattr(record._meta.get_field(name), "attname"))  # noqa: B009 - relations from elsewhere have none


def put_back(record: Model, fields: dict[str, Any]) -> None:
    """Set the fields of a record to what they were; the caller saves it."""
    for name, value in fields.items():
        field: Any = record._meta.get_field(name)
        setattr(record, field.attname, field.to_python(value))
