"""The import wizard against files that mean harm, or are not what they say."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crm.models import ImportRun, User
from crm.rules.records import workbooks
from tests.wizard import LEADS, check, client_of, start, upload

pytestmark = pytest.mark.django_db


def stopped(client: Client, content: bytes, name: str = "x.csv") -> str:
    run = upload(client, content, name=name)
    run.refresh_from_db()
    if run.state == "reading":  # a large one is read by a worker
        from crm.rules.importing.carrying import carry_on

        carry_on(run.pk, seconds=1)
        run.refresh_from_db()
    assert run.state == "stopped"
    assert client.get(run.get_absolute_url()).status_code == 200
    return run.stop_reason


def test_a_line_of_fifty_megabytes_is_refused(rep: User) -> None:
    assert "Line 1 is longer than" in stopped(client_of(rep), b"a" * (50 << 20))


def zipped(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return stream.getvalue()


def test_a_zip_bomb_is_refused_by_what_it_says(rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 10 << 20)
    bomb = zipped({"xl/worksheets/sheet1.xml": b"\0" * (20 << 20)})
    assert "too large to unpack" in stopped(client_of(rep), bomb, "bomb.xlsx")


def test_a_zip_bomb_that_lies_is_refused_by_what_it_does(rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 10 << 20)
    bomb = bytearray(zipped({"xl/worksheets/sheet1.xml": b"\0" * (20 << 20)}))
    size = (20 << 20).to_bytes(4, "little")
    assert bomb.count(size) == 2
    lying = bytes(bomb).replace(size, (1000).to_bytes(4, "little"))
    assert "too large to unpack" in stopped(client_of(rep), lying, "bomb.xlsx")


def test_nul_is_refused_row_by_row(rep: User) -> None:
    client = client_of(rep)
    run = start(
        client,
        check(
            client,
            upload(client, b"Name,Email\nAn\0na,a@a.test\nBoris,b@b.test\n" + b"C,c@c.test\n" * 40, kind="leads"),
        ),
    )
    assert run.failed >= 1
    assert "NUL" in run.refusals.order_by("line").first().reason
    assert client.get(reverse("import_problems", args=[run.pk])).status_code == 200


def test_a_file_name_of_an_upload_is_only_a_label(rep: User) -> None:
    run = upload(client_of(rep), LEADS, name="../../etc/\u202epasswd\n.csv")
    assert "/" not in run.file_name
    assert "\u202e" not in run.file_name


def test_a_body_larger_than_any_file_is_refused_unread(rep: User) -> None:
    class Unread(io.RawIOBase):
        def read(self, *_args: Any) -> bytes:
            raise AssertionError("it was read")

    client = client_of(rep)
    response = client.generic(
        "POST",
        reverse("import_create"),
        b"",
        content_type="multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": str(500 << 20), "wsgi.input": Unread()},
    )
    assert response.status_code == 413
    refused = client.generic(
        "POST", reverse("import_create"), b"", headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH=""
    )
    assert refused.status_code == 411


def test_a_file_too_large_for_us_is_refused_in_its_field(rep: User, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 100
    client = client_of(rep)
    response = client.post(reverse("import_create"), {"file": SimpleUploadedFile("a.csv", b"a" * 101)})
    assert response.status_code == 422
    assert not ImportRun.objects.exists()
