"""Second factors in the admin: named in the reader's language, their secret shown to nobody, taken away when lost."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from crm.models import User

pytestmark = pytest.mark.django_db


def test_an_admin_takes_a_lost_factor_away_and_never_sees_its_secret(client: Client, admin: User, rep: User) -> None:
    factor = Authenticator.objects.create(user=rep, type="totp", data={"secret": "HUSHHUSH"})
    client.force_login(admin)
    page = reverse("admin:mfa_authenticator_change", args=[factor.pk])
    for url in (reverse("admin:mfa_authenticator_changelist"), page):
        answer = client.get(url)
        assert answer.status_code == 200
        assert str(rep) in answer.text
        assert "HUSHHUSH" not in answer.text
    assert client.post(page, {"data": "{}"}).status_code == 403
    assert client.get(reverse("admin:mfa_authenticator_add")).status_code == 403
    client.post(reverse("admin:mfa_authenticator_delete", args=[factor.pk]), {"post": "yes"})
    assert not Authenticator.objects.exists()


def test_its_name_is_said_in_russian(client: Client, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(language="ru")
    client.force_login(User.objects.get(pk=admin.pk))
    assert "Вторые факторы" in client.get(reverse("admin:index")).text
    page = client.get(reverse("admin:mfa_authenticator_changelist")).text
    assert "uthenticator</" not in page
    assert "last used" not in page
