"""Who gets no mail: the list, bringing one in, taking it out."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from crm.models import AuditEntry, SoftBounce, Suppression, User
from crm.rules.errors import NotAllowed
from crm.rules.suppression import allow_again, suppress_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(manager: User) -> Client:
    browser = Client()
    browser.force_login(manager)
    return browser


def test_an_address_is_entered_found_and_allowed_again(client: Client, manager: User) -> None:
    client.post("/suppressions/new/", {"address": "Anna@Client.test", "detail": "asked by phone"})
    row = Suppression.objects.get()
    assert (row.address, row.reason) == ("anna@client.test", "by_hand")
    assert AuditEntry.objects.get(kind="suppression").actor == manager
    assert "asked by phone" in client.get("/suppressions/", {"q": "ANNA"}).content.decode()
    assert "anna@client" not in client.get("/suppressions/", {"q": "bert"}).content.decode()

    SoftBounce.objects.create(address=row.address, key="1")
    client.post(f"/suppressions/{row.pk}/allow/")
    assert not Suppression.objects.exists()
    assert not SoftBounce.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_a_list_is_brought_in_whatever_its_shape(client: Client, encoding: str) -> None:
    text = (
        'Имя;E-mail\r\nAnna;"Anna@client.test"\r\nBert;<bert@client.test>\r\nNobody;none\r\nAnna;anna@CLIENT.test\r\n'
    )
    file = SimpleUploadedFile("list.csv", text.encode(encoding))
    assert client.post("/suppressions/import/", {"file": file}).status_code == 302
    assert set(Suppression.objects.values_list("address", flat=True)) == {"anna@client.test", "bert@client.test"}


def test_the_export_computes_nothing(client: Client) -> None:
    Suppression.objects.create(address="a@b.test", reason="by_hand", detail="=1+1")
    content = b"".join(client.get("/suppressions/export/").streaming_content)  # type: ignore[attr-defined]
    assert b"a@b.test" in content
    assert b"'=1+1" in content


def test_the_list_costs_the_same_however_long(client: Client, django_assert_max_num_queries: object) -> None:
    Suppression.objects.bulk_create(
        [Suppression(address=f"a{number}@b.test", reason="by_hand") for number in range(120)]
    )
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page = client.get("/suppressions/").content.decode()
    assert page.count("@b.test</td>") == 50


def test_a_rep_is_refused(rep: User) -> None:
    browser = Client()
    browser.force_login(rep)
    assert browser.get("/suppressions/").status_code == 403


def test_the_rules_themselves_refuse_a_rep(rep: User) -> None:
    row = Suppression.objects.create(address="a@b.test", reason="by_hand")
    with pytest.raises(NotAllowed):
        allow_again(row, by=rep)
    with pytest.raises(NotAllowed):
        suppress_all("c@d.test", by=rep, now=timezone.now())
    assert Suppression.objects.get() == row


@pytest.mark.parametrize(("asked", "status", "shown"), [("2", 200, 2), ("99", 200, 2), ("x", 404, 0), ("0", 404, 0)])
def test_a_page_past_the_end_is_the_last_and_nonsense_is_none(
    asked: str, status: int, shown: int, client: Client
) -> None:
    Suppression.objects.bulk_create(
        [Suppression(address=f"a{number}@b.test", reason="by_hand") for number in range(60)]
    )
    page = client.get("/suppressions/", {"page": asked})
    assert page.status_code == status
    assert not shown or page.context["page"].number == shown
