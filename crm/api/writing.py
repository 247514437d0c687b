"""Writes: what was sent becomes the page's form, the rule runs once, and a retry gets the first answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _

from crm.api.authenticating import ApiRequest
from crm.api.problems import FieldError, Problem, refuse_invalid
from crm.api.shapes import Sent, shaped
from crm.rules.answers import first_answer, keep_answer

LONGEST_KEY = 255
Form = TypeVar("Form", bound=forms.BaseForm)
MakeForm = Callable[..., Form]


def filled(make: MakeForm[Form], sent: Sent | dict[str, Any]) -> Form:
    """Return the form that `make(data)` makes, filled with what was sent over what it would have shown; or 422.

    The page's own form: the same choices, checks and words.
    """
    said = sent if isinstance(sent, dict) else sent.model_dump(exclude_unset=True)
    blank = make(None)
    shown = {name: _shown(blank[name]) for name in blank.fields}
    form = make({**shown, **said})
    refuse_invalid(form)
    return form


def _shown(field: forms.BoundField) -> Any:
    """What a browser would send of a field that nobody touched: of a choice that must be made, the first."""
    value, inner = field.value(), field.field
    if value is None and type(inner) is forms.ChoiceField and inner.required:
        choices: Any = inner.choices
        return next(iter(choices), (None,))[0]
    return value


def write(request: ApiRequest, act: Callable[[], Any], *, status: int = 200) -> HttpResponse:
    """Do `act` and answer with the record it returns (204 without one), all in one transaction.

    With an `Idempotency-Key` the second of two equal requests, however close, gets the answer of the first.
    """
    key, purpose = _key(request), _purpose(request)
    with transaction.atomic():
        if key:
            _take_turns(key)
            if (earlier := first_answer(by=request.user, key=key, purpose=purpose)) is not None:
                return _answer(earlier["status"], earlier["body"], is_replayed=True)
        record = act()
        body = None if record is None else shaped(type(record)._default_manager.get(pk=record.pk))
        status = 204 if body is None else status
        keep_answer(by=request.user, key=key, purpose=purpose, answer={"status": status, "body": body})
    return _answer(status, body)


def _answer(status: int, body: Any, *, is_replayed: bool = False) -> HttpResponse:
    text = "" if body is None else json.dumps(body, ensure_ascii=False, cls=DjangoJSONEncoder)
    response = HttpResponse(text, status=status, content_type="application/json")
    if is_replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _key(request: ApiRequest) -> str:
    """The key as it is kept: a token's own, whatever its length."""
    said = request.headers.get("Idempotency-Key", "").strip()
    if len(said) > LONGEST_KEY:
        message = _("A key has at most %(most)s characters.") % {"most": LONGEST_KEY}
        raise Problem(422, "invalid", message, [FieldError("Idempotency-Key", "max_length", message)])
    return hashlib.sha256(f"{request.auth.pk}:{said}".encode()).hexdigest() if said else ""


def _purpose(request: ApiRequest) -> str:
    """What the key stands for: the same key with another address or body is a mistake, and said to be one."""
    return f"{request.method} {request.path} {hashlib.sha256(request.body).hexdigest()}"


def _take_turns(key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
