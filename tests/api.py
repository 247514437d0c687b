"""A program that holds a token."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from crm.models import ApiToken, User
from crm.rules.tokens import create_api_token

ROOT = "/api/v1"


def token_of(person: User, scope: str = ApiToken.Scope.WRITE) -> str:
    """Return the secret of a new token."""
    now = timezone.now()
    return create_api_token(name="Books", scope=scope, expires_at=now + dt.timedelta(days=1), by=person, now=now).secret


class Program:
    """Asks the API with a secret."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.client = Client(raise_request_exception=False)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        """Make one request; `headers` by names with underscores."""
        sent = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            named["Authorization"] = f"Bearer {self.secret}"
        return self.client.generic(method.upper(), ROOT + path, headers=named, **sent)  # type: ignore[return-value]

    def get(self, path: str, status: int = 200) -> Any:
        """Return the JSON of an answer, whose status is checked."""
        return self._read(self.ask("get", path), status)

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """Post, and return the JSON."""
        return self._read(self.ask("post", path, body, **headers), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        """Change, and return the JSON."""
        return self._read(self.ask("patch", path, body), status)

    def delete(self, path: str, status: int = 204) -> Any:
        """Delete."""
        return self._read(self.ask("delete", path), status)

    def _read(self, response: HttpResponse, status: int) -> Any:
        assert response.status_code == status, (response.status_code, response.content)
        kind = "application/problem+json" if status >= 400 else "application/json"
        assert response["Content-Type"].split(";")[0] == kind
        return json.loads(response.content) if response.content else None
