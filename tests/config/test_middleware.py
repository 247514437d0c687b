"""The manners that every page shares."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError, connection
from django.test import Client

from crm.models import User

pytestmark = [pytest.mark.urls("tests.config.sample_urls"), pytest.mark.django_db]
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://testserver/board/sales/?team=1"}


@pytest.fixture
def client_of_rep(client: Client, rep: User) -> Client:
    client.force_login(rep)
    return client


def test_caches_are_told_that_htmx_gets_another_answer(client_of_rep: Client) -> None:
    assert "HX-Request" in client_of_rep.get("/sample/page/")["Vary"]


def test_a_redirect_becomes_a_location_for_htmx(client_of_rep: Client) -> None:
    answer = client_of_rep.get("/sample/moved/", **HTMX)

    assert answer.status_code == 200
    assert answer["HX-Location"] == "/sample/page/"
    assert not answer.has_header("Location")
    assert client_of_rep.get("/sample/moved/").status_code == 302, "without htmx it stays a redirect"


def test_a_redirect_to_another_site_is_left_to_the_browser(client_of_rep: Client) -> None:
    assert client_of_rep.get("/sample/elsewhere/", **HTMX)["HX-Redirect"] == "https://example.com/"


def test_login_leads_back_to_the_page_and_not_to_the_fragment(client: Client) -> None:
    answer = client.get("/sample/said/", **HTMX)

    assert answer["HX-Redirect"] == "/accounts/login/?next=/board/sales/%3Fteam%3D1"
    assert client.get("/sample/said/")["Location"] == "/accounts/login/?next=/sample/said/"


def test_login_does_not_lead_to_another_site(client: Client) -> None:
    answer = client.get("/sample/said/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="https://evil.example/x")

    assert answer["HX-Redirect"] == "/accounts/login/?next=/"


def test_messages_come_out_of_band_and_escaped(client_of_rep: Client) -> None:
    text = client_of_rep.get("/sample/said/", **HTMX).content.decode()

    assert text.startswith("<p>fragment</p>")
    assert "hx-swap-oob" in text
    assert "Saved &lt;b&gt;well&lt;/b&gt;" in text
    assert "hx-swap-oob" not in client_of_rep.get("/sample/page/", **HTMX).content.decode(), "shown once"


def test_messages_wait_where_nothing_can_be_shown(client_of_rep: Client) -> None:
    assert client_of_rep.get("/sample/nothing/", **HTMX).content == b""

    assert "Kept for later" in client_of_rep.get("/sample/page/", **HTMX).content.decode()


def test_a_person_gets_their_own_language_and_time_zone(client: Client, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(language="ru", time_zone="Asia/Kathmandu")
    client.force_login(rep)

    assert client.get("/sample/page/", HTTP_ACCEPT_LANGUAGE="en").content == b"ru Asia/Kathmandu web"


def test_the_next_request_does_not_inherit_them(client: Client, rep: User, viewer: User) -> None:
    User.objects.filter(pk=rep.pk).update(language="ru", time_zone="Asia/Kathmandu")
    for person in (rep, viewer):
        client.force_login(person)
        answer = client.get("/sample/page/")

    assert answer.content == b"en UTC web"


def test_a_deactivated_person_is_out_at_once(client_of_rep: Client, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(is_active=False)

    assert client_of_rep.get("/sample/page/").status_code == 302


def test_no_database_is_503_and_says_when_to_come_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", refuse)

    answer = client.get("/sample/page/")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_within_a_view_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "is_usable", lambda: False)

    assert client.get("/sample/database-gone/")["Retry-After"] == "5"


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_before_the_view_is_503(
    client_of_rep: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the session is read: no view has begun, and no outer middleware hears of the exception."""

    def end_the_connection(_session: SessionStore) -> dict[str, object]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return {}

    client_of_rep.raise_request_exception = False
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SessionStore, "load", end_the_connection)
        answer = client_of_rep.get("/sample/page/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert client_of_rep.get("/sample/page/").status_code == 200


def test_a_refusal_of_a_living_database_stays_an_error(client: Client) -> None:
    with pytest.raises(OperationalError, match="deadlock"):
        client.get("/sample/deadlock/")


@pytest.mark.parametrize("address", ["/sample/page/?q=%00", "/sample/page/%00"])
def test_a_nul_in_an_address_is_refused_with_a_sentence(client_of_rep: Client, address: str) -> None:
    answer = client_of_rep.get(address)

    assert answer.status_code == 400
    assert "NUL" in answer.content.decode()


def test_a_nul_in_a_body_without_a_form_is_refused_with_a_sentence(client: Client) -> None:
    answer = client.post("/sample/stores-body/", {"name": "a\x00b"})

    assert answer.status_code == 400
    assert "NUL" in answer.content.decode()


def test_nothing_inline_and_nothing_foreign_may_run(client: Client) -> None:
    policy = client.get("/accounts/login/")["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy
    assert "unsafe" not in policy


# --- Forms of others --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_wrong_login_says_so_by_its_status(client: Client) -> None:
    answer = client.post("/accounts/login/", {"login": "nobody@example.test", "password": "wrong"})
    assert answer.status_code == 422
    assert "nobody@example.test" in answer.text


def test_a_wrong_value_in_the_admin_says_so_by_its_status(client: Client, admin: User) -> None:
    client.force_login(admin)
    answer = client.post("/admin/crm/team/add/", {"name": ""})
    assert answer.status_code == 422
    assert client.get("/admin/crm/team/add/").status_code == 200
