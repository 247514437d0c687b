"""API tokens in a person's settings: shown once, listed, revoked."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import ApiToken, User
from crm.rules.tokens import TokenRefused, open_api_token, open_token

pytestmark = pytest.mark.django_db

CREATE = "/settings/tokens/new/"


@pytest.fixture
def client(rep: User) -> Client:
    client = Client()
    client.force_login(rep)
    return client


def made(client: Client, **changes: str) -> str:
    page = client.post(CREATE, {"name": "Books", "scope": "write", "days": "30"} | changes)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    return re.findall(r'value="(voronka_[\w-]{43})"', page.text)[0]


def test_secret_is_shown_once_and_works(client: Client, rep: User) -> None:
    secret = made(client)

    token = open_api_token(secret, now=timezone.now())
    assert (token.user, token.name, token.scope) == (rep, "Books", "write")
    assert dt.timedelta(days=29) < token.expires_at - timezone.now() < dt.timedelta(days=30)
    settings = client.get("/settings/").text
    assert "Books" in settings
    assert token.hint in settings
    assert secret not in settings


def test_revoked_token_is_listed_as_such_and_opens_nothing(client: Client) -> None:
    secret = made(client)
    client.post(reverse("api_token_revoke", args=[ApiToken.objects.get().pk]))

    with pytest.raises(TokenRefused):
        open_api_token(secret, now=timezone.now())
    with pytest.raises(TokenRefused):
        open_token(secret, act="api", now=timezone.now())
    assert "revoked" in client.get("/settings/").text
    assert "/revoke/" not in client.get("/settings/").text


@pytest.mark.parametrize("wrong", [{"name": ""}, {"scope": "all"}, {"days": "9999"}, {"days": ""}, {"name": "a\x00"}])
def test_wrong_values_make_no_token(client: Client, wrong: dict[str, str]) -> None:
    answer = client.post(CREATE, {"name": "Books", "scope": "read", "days": "30"} | wrong)

    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_viewer_makes_reading_tokens_only(viewer: User) -> None:
    client = Client()
    client.force_login(viewer)

    assert client.post(CREATE, {"name": "Books", "scope": "write", "days": "30"}).status_code == 422
    made(client, scope="read")


def test_admin_lists_and_revokes_tokens_of_others(client: Client, admin: User) -> None:
    secret = made(client)
    token = ApiToken.objects.get()
    boss = Client()
    boss.force_login(admin)
    listed = boss.get(reverse("admin:crm_apitoken_changelist")).text
    boss.post(reverse("admin:crm_apitoken_changelist"), {"action": "revoke", "_selected_action": [token.pk]})

    assert "Books" in listed
    assert token.digest not in listed
    with pytest.raises(TokenRefused):
        open_api_token(secret, now=timezone.now())


def test_who_is_deactivated_by_an_admin_loses_tokens_for_good(client: Client, rep: User, admin: User) -> None:
    secret = made(client)
    boss = Client()
    boss.force_login(admin)
    page = reverse("admin:crm_user_change", args=[rep.pk])
    shown = boss.get(page).context["adminform"].form.initial
    fields = {name: value for name, value in shown.items() if value is not None and name != "is_active"}
    assert boss.post(page, fields).status_code == 302
    assert boss.post(page, fields | {"is_active": "on"}).status_code == 302

    rep.refresh_from_db()
    assert rep.is_active
    with pytest.raises(TokenRefused):
        open_api_token(secret, now=timezone.now())
