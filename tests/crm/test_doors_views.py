"""Pages behind a secret tell nobody of their address."""

from __future__ import annotations

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from crm.rules.tokens import issue_token
from crm.views.doors import LARGEST_BODY, secret_door, token_or_404
from tests.factories import CompanyFactory

pytestmark = pytest.mark.django_db


@secret_door
def look(request: HttpRequest, secret: str) -> HttpResponse:
    return HttpResponse(str(token_or_404(secret, act="look").opens))


def test_door_opens_to_a_stranger_and_hides_its_address() -> None:
    secret = issue_token(act="look", opens=CompanyFactory(name="Kite"), expires_at=None, by=None, now=timezone.now())
    response = look(RequestFactory().get("/"), secret)

    assert response.text == "Kite"
    assert response["Referrer-Policy"] == "no-referrer"
    assert (response["Cache-Control"], response["X-Robots-Tag"]) == ("no-store", "noindex")
    assert look.login_required is False  # type: ignore[attr-defined]


def test_wrong_secret_is_nowhere() -> None:
    with pytest.raises(Http404):
        look(RequestFactory().get("/"), "x" * 43)


@pytest.mark.parametrize("name", ["unsubscribe", "tracked_link", "calendar_feed"])
def test_addresses_that_are_keys_take_no_large_body(name: str, client: Client) -> None:
    answer = client.generic("GET", reverse(name, args=["x" * 43]), b"a" * (LARGEST_BODY + 1))
    assert answer.status_code == 413
