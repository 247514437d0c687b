"""Admins and the second factor, where it is required of them."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from crm.models import User

pytestmark = [pytest.mark.urls("tests.config.sample_urls"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR_OF_ADMINS = True


def _status(person: User, address: str = "/sample/page/") -> tuple[int, str]:
    client = Client()
    client.force_login(person)
    answer = client.get(address)
    return answer.status_code, answer.headers.get("Location", "")


def test_an_admin_without_one_sets_it_up_first(admin: User) -> None:
    assert _status(admin) == (302, "/accounts/2fa/totp/activate/")
    assert _status(admin, "/accounts/logout/")[0] == 200


def test_an_admin_with_one_goes_on(admin: User) -> None:
    Authenticator.objects.create(user=admin, type=Authenticator.Type.TOTP, data={"secret": "x"})

    assert _status(admin)[0] == 200


def test_it_is_required_of_nobody_else(rep: User) -> None:
    assert _status(rep)[0] == 200


def test_it_is_required_only_where_asked_for(admin: User, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR_OF_ADMINS = False

    assert _status(admin)[0] == 200
