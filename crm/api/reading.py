"""Lists: filters that are refused where they mean nothing, and pages that cost the same however long the list is."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, Q, QuerySet
from django.utils.translation import gettext as _
from ninja import Schema

from crm.api.authenticating import ApiRequest
from crm.api.problems import FieldError, invalid, refuse_invalid

USUAL, MOST = 50, 200
PAGING = frozenset({"limit", "after"})


class Asked(Schema):
    """What every list can be asked: how many at once, and after which."""

    limit: int = USUAL
    after: str = ""


def filters_of(request: ApiRequest, asked: Asked) -> dict[str, Any]:
    """Return the filters as a form reads them; one that does not exist is 422, never silently no filter."""
    known = set(type(asked).model_fields)
    if unknown := sorted(set(request.GET) - known):
        raise invalid(FieldError(name, "unknown", _("There is no such filter here.")) for name in unknown)
    if not 1 <= asked.limit <= MOST:
        raise invalid([FieldError("limit", "range", _("A whole number from 1 to %(most)s.") % {"most": MOST})])
    return {name: value for name, value in asked.model_dump(exclude=set(PAGING)).items() if value not in {None, ""}}


def narrowed(filters: Any) -> QuerySet[Any]:
    """Return what a filter set lets through."""
    form: forms.Form = filters.form
    refuse_invalid(form)
    return filters.qs


def page_of(request: ApiRequest, rows: QuerySet[Any], asked: Asked, order: Sequence[str]) -> dict[str, Any]:
    """Return the page of `rows` in `order` (a field, then the key to break ties; "-" for falling) that is asked for."""
    rows = rows.order_by(*order)
    if asked.after:
        rows = rows.filter(_beyond(rows, asked.after, order))
    found = list(rows[: asked.limit + 1])
    shown = found[: asked.limit]
    return {"items": shown, "next": _address_after(request, shown[-1], order) if len(found) > asked.limit else None}


def _beyond(rows: QuerySet[Any], cursor: str, order: Sequence[str]) -> Q:
    """The condition that a row comes after the one of the cursor. The first bound alone lets an index begin there."""
    name, is_falling = order[0].lstrip("-"), order[0].startswith("-")
    field = rows.model._meta.get_field(name)
    try:
        text, pk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        value, pk = _stored(field, text), int(pk)
    except (ValueError, TypeError, OverflowError, binascii.Error, ValidationError, RecursionError) as error:
        message = _("This is no place in the list. Begin again without it.")
        raise invalid([FieldError("after", "invalid", message)]) from error
    way = "lt" if is_falling else "gt"
    return Q(**{f"{name}__{way}e": value}) & (Q(**{f"{name}__{way}": value}) | Q(**{f"pk__{way}": pk}))


def _stored(field: Any, text: Any) -> Any:
    """Return the value that `text` writes; ValueError for what no row holds: nothing, NUL, half a letter, no moment."""
    if isinstance(field, DateTimeField):
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment.astimezone(dt.UTC)
    value = field.to_python(text)
    if value is None or (isinstance(value, str) and b"\0" in value.encode()):
        raise ValueError(text)
    return value


def _address_after(request: ApiRequest, row: Any, order: Sequence[str]) -> str:
    field = row._meta.get_field(order[0].lstrip("-"))
    query = request.GET.copy()
    query["after"] = base64.urlsafe_b64encode(json.dumps([field.value_to_string(row), row.pk]).encode()).decode()
    return f"{request.path}?{query.urlencode()}"
