"""Secrets: only their hash is kept, and they open one door until they are revoked, expire or lose their object."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from crm.models import ApiToken, AuditEntry, Company, Token, User
from crm.rules.tokens import (
    NewApiToken,
    TokenRefused,
    TooManyRequests,
    create_api_token,
    issue_token,
    open_api_token,
    open_token,
    pace_api_token,
    revoke_api_token,
    revoke_tokens,
    revoke_tokens_of,
)
from tests.factories import CompanyFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)


@pytest.fixture
def company(rep: User) -> Company:
    return CompanyFactory(owner=rep)


def issued(company: Company | User, *, act: str = "look", expires_at: dt.datetime | None = NOW + DAY) -> str:
    return issue_token(act=act, opens=company, expires_at=expires_at, by=None, now=NOW)


def api_token(person: User, **more: str) -> NewApiToken:
    said = {"name": "Accounting", "scope": ApiToken.Scope.READ} | more
    return create_api_token(**said, expires_at=NOW + DAY, by=person, now=NOW)


# --- Public links ---------------------------------------------------------------------------------------------------


def test_secret_opens_its_act_on_its_object_and_is_kept_nowhere(company: Company) -> None:
    secret = issued(company)

    assert len(secret) == 43
    assert open_token(secret, act="look", now=NOW).opens == company
    assert secret != issued(company)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM crm_token t WHERE to_jsonb(t)::text LIKE %s", [f"%{secret}%"])
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("secret", ["", "x" * 43, "\x00", "ж" * 43, "\ud800"])
def test_unknown_secret_opens_nothing(company: Company, secret: str) -> None:
    issued(company)
    with pytest.raises(TokenRefused):
        open_token(secret, act="look", now=NOW)


def test_secret_opens_no_other_act(company: Company) -> None:
    with pytest.raises(TokenRefused):
        open_token(issued(company), act="change", now=NOW)


def test_secret_expires_to_the_second(company: Company) -> None:
    secret = issued(company)

    open_token(secret, act="look", now=NOW + DAY - SECOND)
    with pytest.raises(TokenRefused):
        open_token(secret, act="look", now=NOW + DAY)
    open_token(issued(company, expires_at=None), act="look", now=NOW + 4000 * DAY)


def test_revoking_takes_the_acts_named_and_no_other(company: Company) -> None:
    look, change, other = issued(company), issued(company, act="change"), issued(CompanyFactory())

    assert revoke_tokens(company, act="look", by=None, now=NOW) == 1
    with pytest.raises(TokenRefused):
        open_token(look, act="look", now=NOW)
    open_token(change, act="change", now=NOW)
    assert revoke_tokens(company, by=None, now=NOW) == 1
    open_token(other, act="look", now=NOW)


def test_object_in_the_bin_or_gone_opens_nothing(company: Company) -> None:
    binned, gone, lost = issued(company), CompanyFactory(), None
    lost = issued(gone)
    Company.objects.filter(pk=company.pk).update(deleted_at=NOW)
    gone.delete()

    for secret in (binned, lost):
        with pytest.raises(TokenRefused):
            open_token(secret, act="look", now=NOW)


def test_person_who_is_shut_out_opens_nothing(rep: User) -> None:
    secret = issued(rep, act="calendar")
    User.objects.filter(pk=rep.pk).update(is_active=False)

    with pytest.raises(TokenRefused):
        open_token(secret, act="calendar", now=NOW)


def test_use_is_noted_once_a_minute(company: Company) -> None:
    secret = issued(company)
    for seconds in (0, 30, 59):
        open_token(secret, act="look", now=NOW + seconds * SECOND)
    assert Token.objects.get().last_used_at == NOW

    open_token(secret, act="look", now=NOW + 61 * SECOND)
    assert Token.objects.get().last_used_at == NOW + 61 * SECOND


# --- The API --------------------------------------------------------------------------------------------------------


def test_api_token_is_a_persons_own_and_its_making_is_on_record(rep: User) -> None:
    token, secret = api_token(rep)

    assert secret.startswith("voronka_")
    assert secret.startswith(token.hint)
    assert len(token.hint) == 12
    opened = open_api_token(secret, now=NOW)
    assert (opened, opened.user) == (token, rep)
    entry = AuditEntry.objects.about("api_token", token.pk).get()
    assert (entry.action, entry.actor) == ("created", rep)
    assert "digest" not in entry.after


def test_api_token_ends_by_time_revoking_and_deactivation(rep: User) -> None:
    token, secret = api_token(rep)
    with pytest.raises(TokenRefused):
        open_api_token(secret, now=NOW + DAY)

    User.objects.filter(pk=rep.pk).update(is_active=False)
    with pytest.raises(TokenRefused):
        open_api_token(secret, now=NOW)
    User.objects.filter(pk=rep.pk).update(is_active=True)

    revoke_api_token(token, by=rep, now=NOW)
    with pytest.raises(TokenRefused):
        open_api_token(secret, now=NOW)


def test_api_token_without_an_end_is_refused(rep: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.create(user=rep, name="For ever", digest="x")


def test_who_was_shut_out_comes_back_without_tokens(rep: User, colleague: User, admin: User) -> None:
    theirs, calendar, others = api_token(rep).secret, issued(rep, act="calendar"), api_token(colleague).secret

    assert revoke_tokens_of(rep, by=admin, now=NOW) == 2
    with pytest.raises(TokenRefused):
        open_api_token(theirs, now=NOW)
    with pytest.raises(TokenRefused):
        open_token(calendar, act="calendar", now=NOW)
    open_api_token(others, now=NOW)


def test_api_token_is_paced(rep: User) -> None:
    token = api_token(rep).token
    for _ in range(60):
        pace_api_token(token, per_minute=60, now=NOW)

    with pytest.raises(TooManyRequests) as refused:
        pace_api_token(token, per_minute=60, now=NOW)
    assert refused.value.retry_after == 1
    pace_api_token(token, per_minute=60, now=NOW + SECOND)
    with pytest.raises(TooManyRequests):
        pace_api_token(token, per_minute=60, now=NOW + SECOND)
    assert ApiToken.objects.get().last_used_at == NOW + SECOND
    assert AuditEntry.objects.about("api_token", token.pk).count() == 1
