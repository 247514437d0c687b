"""What goes wrong, as RFC 9457 problem details: a stable code, a message in the person's language, and the field."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from crm.api.shapes import fresh_state
from crm.rules.errors import RuleError
from crm.rules.tokens import TokenRefused, TooManyRequests

CONFLICTS = frozenset({"conflict", "taken", "closed", "too_late"})
"""Codes of refusals that mean: somebody was first."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="voronka"'}


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; "" is the whole."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """An answer other than what was asked for."""

    def __init__(self, status: int, code: str, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.errors = status, code, message, errors


class Merged(Exception):
    """The record was merged into another: reading leads on to that one, and what was to change is refused."""

    def __init__(self, pk: int, survivor_id: int) -> None:
        super().__init__(pk, survivor_id)
        self.pk, self.survivor_id = pk, survivor_id


class StrictParser(Parser):
    """Reads JSON that PostgreSQL can hold: half a surrogate pair, which Python reads, is no text."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return what the body says; ValueError where it cannot be read."""
        said = super().parse_body(request)
        if rb"\ud" in request.body.lower():
            json.dumps(said, ensure_ascii=False).encode()
        return said


def refuse_invalid(form: forms.BaseForm) -> None:
    """Raise the 422 that names every field the form finds wrong; nothing where it is valid."""
    if not form.is_valid():
        raise invalid(
            FieldError("" if name == "__all__" else name, error["code"] or "invalid", error["message"])
            for name, errors in form.errors.get_json_data().items()
            for error in errors
        )


def invalid(errors: Any) -> Problem:
    """Return the 422 for some fields."""
    found = list(errors)
    return Problem(422, "invalid", found[0].message if len(found) == 1 else _("Some fields are wrong."), found)


def register_problems(api: NinjaAPI) -> None:
    """Let the API answer every exception with a problem."""
    for exception, answer in _ANSWERS:
        api.add_exception_handler(exception, functools.partial(answer))


def answer_problem(_request: HttpRequest, problem: Problem, **more: Any) -> HttpResponse:
    """Write a problem; `more` stands beside the fields of the RFC."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "message": problem.message,
        "field": next((error.field for error in problem.errors if error.field), None),
        "errors": [vars(error) for error in problem.errors],
        **more,
    }
    text = json.dumps(body, ensure_ascii=False, cls=DjangoJSONEncoder)
    headers = _CHALLENGE if problem.status == HTTPStatus.UNAUTHORIZED else {}
    return HttpResponse(text, status=problem.status, content_type="application/problem+json", headers=headers)


def _refused(request: Any, refusal: RuleError) -> HttpResponse:
    """A rule said no: 409 with the fresh state where somebody was first, 422 with what is missing otherwise."""
    if isinstance(refusal, PermissionDenied):
        return _forbidden(request, refusal)
    missing = [
        FieldError(item.key, "required", item.label) for item in getattr(refusal, "missing", ())
    ]  # a stage asks for these
    if refusal.code in CONFLICTS:
        problem = Problem(409, refusal.code, refusal.message)
        return answer_problem(request, problem, current=fresh_state(refusal, request.user))
    return answer_problem(request, Problem(422, refusal.code, refusal.message, missing))


def _unauthorised(request: HttpRequest, refusal: TokenRefused) -> HttpResponse:
    return answer_problem(request, Problem(401, refusal.code, refusal.message))


def _too_fast(request: HttpRequest, refusal: TooManyRequests) -> HttpResponse:
    response = answer_problem(request, Problem(429, refusal.code, refusal.message))
    response["Retry-After"] = str(refusal.retry_after)
    return response


def _forbidden(request: HttpRequest, refusal: Exception) -> HttpResponse:
    message = str(refusal) or _("You may look at this, but not change it.")
    return answer_problem(request, Problem(403, getattr(refusal, "code", "not_allowed"), message))


def not_found(request: HttpRequest, _missing: Any = None) -> HttpResponse:
    """404: it is not there, or not for this person to see."""
    return answer_problem(request, Problem(404, "not_found", _("There is nothing here that you may see.")))


def _merged(request: HttpRequest, merged: Merged) -> HttpResponse:
    """307 to the survivor's address (not 308: a merge can be undone); 409 for a write, which was meant for another."""
    message = _("This record was merged into another one.")
    place, _slash, last = request.path.rpartition("/")
    leads_on = request.method in {"GET", "HEAD"} and last == str(merged.pk)
    problem = Problem(307 if leads_on else 409, "merged", message)
    response = answer_problem(request, problem, survivor=merged.survivor_id)
    if leads_on:
        response["Location"] = f"{place}/{merged.survivor_id}"
    return response


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the framework refuses: a body that is no JSON."""
    message = _("The body is not valid JSON.") if error.status_code == HTTPStatus.BAD_REQUEST else error.message
    return answer_problem(request, Problem(error.status_code, "unreadable", message))


def _not_the_schema(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return answer_problem(request, invalid(FieldError(*_said(one)) for one in error.errors))


_MISTYPED: dict[str, Callable[[], str]] = {
    "missing": lambda: _("This field is required."),
    "extra_forbidden": lambda: _("There is no such field here."),
    "string_type": lambda: _("Send text."),
    "bool_type": lambda: _("Send true or false."),
    "list_type": lambda: _("Send a list."),
    "model_attributes_type": lambda: _("Send an object."),
    "date_type": lambda: _("Send a day as YYYY-MM-DD."),
    "date_from_datetime_parsing": lambda: _("Send a day as YYYY-MM-DD."),
    "datetime_from_date_parsing": lambda: _("Send a time as 2026-07-02T14:00:00Z."),
    "datetime_parsing": lambda: _("Send a time as 2026-07-02T14:00:00Z."),
    "int_type": lambda: _("Send a whole number."),
    "int_parsing": lambda: _("Send a whole number."),
    "int_from_float": lambda: _("Send a whole number."),
}


def _said(error: dict[str, Any]) -> tuple[str, str, str]:
    """Field, code and message of what pydantic found, in the person's language where we know its kind."""
    code, place = error["type"], [str(part) for part in error["loc"] if part not in {"body", "query", "path"}]
    words = _MISTYPED.get(code)
    message = words() if words else _("This is not what belongs here.")
    return ".".join(place[1:] if len(place) > 1 else place), code, message


_ANSWERS: tuple[tuple[type[Exception], Callable[..., HttpResponse]], ...] = (
    (Problem, answer_problem),
    (RuleError, _refused),
    (TokenRefused, _unauthorised),
    (TooManyRequests, _too_fast),
    (PermissionDenied, _forbidden),
    (Http404, not_found),
    (Merged, _merged),
    (HttpError, _http_error),
    (ValidationError, _not_the_schema),
)
