"""Manners that every page shares: how htmx is answered, who acts, and what happens without a database."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import BaseStorage
from django.db import InterfaceError, OperationalError, connection
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from crm.rules.audit import coming_through
from crm.rules.wall_clock import zone_of
from crm.views.authorising import MergedElsewhere
from crm.views.forwarding import answer_merged

GetResponse = Callable[[HttpRequest], HttpResponse]
RETRY_AFTER_SECONDS = 5
# What answers without a database, because it only says how the process is.
HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
_NUL_IN_DATABASE = "NUL (0x00)"  # psycopg's words


class DatabaseAwayMiddleware:
    """503 with Retry-After while the database cannot be reached, instead of a 500 after a long wait.

    The connection is tried here, first of all. Where it breaks later, the exception of an inner middleware (sessions,
    login) never gets out to an outer one: Django has turned it into an answer by then, which is told by the connection.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in HEALTH_PATHS:
            return self.get_response(request)  # it says itself, and in its own form, that the database is away
        try:
            connection.close_if_health_check_failed()
            connection.ensure_connection()
        except (OperationalError, InterfaceError):
            return self._come_back_later()
        response = self.get_response(request)
        if response.status_code >= 400 and connection.errors_occurred and not connection.is_usable():
            connection.close()
            return self._come_back_later()
        return response

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The database went away in the middle of a view."""
        if isinstance(exception, OperationalError | InterfaceError) and not connection.is_usable():
            connection.close()
            return self._come_back_later()
        return None

    def _come_back_later(self) -> HttpResponse:
        response = HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        response["Cache-Control"] = "no-store"
        return response


class BodyLimitMiddleware:
    """413 for a body larger than any file we take, by what it says of itself, before a byte of it is read.

    A body that says nothing of its length is refused as well (411): Django would read none of it.
    """

    ROOM = 1 << 20
    """What a form has beside its file."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        if length.isdecimal() and int(length) > settings.IMPORT_MAX_BYTES + self.ROOM:
            return self._refuse(
                413,
                _("The file is larger than %(limit)d MB. Divide it into several.")
                % {"limit": settings.IMPORT_MAX_BYTES >> 20},
            )
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and not length:
            return self._refuse(411, _("Say how long the body is (Content-Length)."))
        return self.get_response(request)

    def _refuse(self, status: int, text: str) -> HttpResponse:
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


class RefuseNulMiddleware:
    """400 for a NUL character, which PostgreSQL's text cannot hold. Forms refuse theirs beside the field."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return self._refuse()
        return self.get_response(request)

    def process_exception(self, _request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A NUL that came in a body and met no form on its way to the database."""
        if isinstance(exception, ValueError) and _NUL_IN_DATABASE in str(exception):
            return self._refuse()
        return None

    def _refuse(self) -> HttpResponse:
        message = _("The text contains a character (NUL) that cannot be stored. Remove it and send again.")
        return HttpResponseBadRequest(message, content_type="text/plain; charset=utf-8")


class PersonMiddleware:
    """The person's own language and time zone, and "web" or "admin" as the way their changes came in.

    What comes to the API is its token's, whoever is logged in beside it (crm.api.authenticating).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            request.user = AnonymousUser()
        person = request.user
        if person.is_authenticated:
            translation.activate(person.language)
            request.LANGUAGE_CODE = translation.get_language()
            timezone.activate(zone_of(person.time_zone))
        try:
            with coming_through("admin" if request.path.startswith("/admin/") else "web"):
                return self.get_response(request)
        finally:
            timezone.deactivate()


class MergedElsewhereMiddleware:
    """The address of a record that was merged leads to the survivor's page of the same name; a change is a 409."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The view looked for a record by its old address."""
        if not isinstance(exception, MergedElsewhere):
            return None
        return answer_merged(request, exception.survivor)


class WrongValueMiddleware:
    """422 for a form that others wrote (the login, the Django admin) and that comes back with errors, as ours do."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """Look at what the page is drawn from: the admin says `errors`, views of a form `form`."""
        if request.method == "POST" and response.status_code == 200:
            context = response.context_data or {}
            form = context.get("form")
            if context.get("errors") or (isinstance(form, BaseForm) and form.is_bound and form.errors):
                response.status_code = 422
        return response


class HtmxMannersMiddleware:
    """What an htmx request gets in place of a redirect, and the messages it would otherwise miss."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if not request.htmx:  # type: ignore[attr-defined]
            return response
        if 300 <= response.status_code < 400 and response.has_header("Location"):
            self._redirect(request, response)
        else:
            self._append_messages(request, response)
        return response

    def _redirect(self, request: HttpRequest, response: HttpResponse) -> None:
        """Let htmx load the page (HX-Location), or the browser where it is the login or another site (HX-Redirect)."""
        location = response.headers["Location"]
        del response.headers["Location"]
        response.status_code = 200
        if _is_login(location):
            response["HX-Redirect"] = _login_back_to_page(request)
        elif url_has_allowed_host_and_scheme(location, allowed_hosts={request.get_host()}):
            response["HX-Location"] = location
        else:
            response["HX-Redirect"] = location

    def _append_messages(self, request: HttpRequest, response: HttpResponse) -> None:
        is_html = response.get("Content-Type", "").startswith("text/html")
        if response.streaming or not is_html or response.status_code == 204 or response.has_header("HX-Redirect"):
            return
        storage = get_messages(request)
        if isinstance(storage, BaseStorage) and not storage.used and len(storage):  # a full page has used its own
            response.content += render_to_string(
                "components/messages.html#out-of-band", {"messages": storage}, request
            ).encode()
            response.headers.pop("Content-Length", None)


def _is_login(location: str) -> bool:
    return urlsplit(location).path == resolve_url(settings.LOGIN_URL)


def _login_back_to_page(request: HttpRequest) -> str:
    """The login page that leads back to the page in the address bar, not to the fragment that was asked for."""
    query = QueryDict(mutable=True)
    query["next"] = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
    return f"{resolve_url(settings.LOGIN_URL)}?{query.urlencode(safe='/')}"
