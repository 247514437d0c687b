"""Getting in: one door, and it is guarded."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from crm.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def rita(rep: User) -> User:
    rep.set_password(PASSWORD)
    rep.save()
    return rep


@pytest.fixture(autouse=True)
def nobody_tried_before() -> None:
    cache.clear()


def _log_in(client: Client, email: str, password: str) -> int:
    return client.post("/accounts/login/", {"login": email, "password": password}).status_code


@pytest.mark.parametrize("email", ["rita@example.test", "RITA@Example.Test"])
def test_a_person_logs_in_by_address_in_any_case(client: Client, rita: User, email: str) -> None:
    assert _log_in(client, email, PASSWORD) == 302
    assert client.session["_auth_user_id"] == str(rita.pk)


def test_passwords_are_stored_with_argon2(rep: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]  # without the quick one that tests put first

    rep.set_password(PASSWORD)

    assert rep.password.startswith("argon2$argon2id$")


def test_a_deactivated_person_stays_out(client: Client, rita: User) -> None:
    User.objects.filter(pk=rita.pk).update(is_active=False)

    _log_in(client, rita.email, PASSWORD)

    assert "_auth_user_id" not in client.session


def test_guessing_is_slowed_down(client: Client, rita: User) -> None:
    for _attempt in range(5):
        _log_in(client, rita.email, "wrong")

    _log_in(client, rita.email, PASSWORD)

    assert "_auth_user_id" not in client.session


def test_nobody_signs_up(client: Client) -> None:
    client.post("/accounts/signup/", {"email": "new@example.test", "password1": PASSWORD, "password2": PASSWORD})

    assert not User.objects.filter(email="new@example.test").exists()


def test_the_admin_has_no_door_of_its_own(client: Client, rita: User) -> None:
    assert client.get("/admin/login/?next=/admin/")["Location"].startswith("/accounts/login/")
    client.force_login(rita)
    assert client.get("/admin/", follow=True).status_code == 403


def test_nobody_changes_their_own_address(client: Client, rita: User) -> None:
    client.force_login(rita)

    assert client.get("/accounts/email/").status_code == 404


def test_a_new_password_ends_the_other_sessions(rita: User) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.force_login(rita)

    new = {"oldpassword": PASSWORD, "password1": "another good phrase", "password2": "another good phrase"}
    assert here.post("/accounts/password/change/", new).status_code == 302

    assert elsewhere.get("/accounts/2fa/").status_code == 302, "back to the login"
