"""Reading the demo's mail: listed, read, and its HTML without rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("crm.urls_dev")]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.MAIL_DIR = tmp_path
    return tmp_path


def write_mails(folder: Path, *subjects: str) -> None:
    connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(folder))
    connection.open()
    for subject in subjects:
        mail = EmailMultiAlternatives(subject, f"Text of {subject}", to=["rep@example.test"])
        mail.attach_alternative(f"<p>HTML of {subject}</p><script>alert(1)</script>", "text/html")
        connection.send_messages([mail])
    connection.close()


def test_mails_of_one_file_are_listed_and_read(folder: Path) -> None:
    write_mails(folder, "Напоминание", "Second <i>one</i>")
    client = Client()

    page = client.get("/mail/").text
    assert "Напоминание" in page
    assert "Second &lt;i&gt;one&lt;/i&gt;" in page

    (file,) = folder.glob("*.log")
    detail = client.get(f"/mail/{file.stem}.1/").text
    assert "Text of Second &lt;i&gt;one&lt;/i&gt;" in detail
    assert "rep@example.test" in detail


def test_html_is_framed_without_rights(folder: Path) -> None:
    write_mails(folder, "One")
    (file,) = folder.glob("*.log")

    response = Client().get(f"/mail/{file.stem}.0/html/")

    assert "HTML of One" in response.text
    policy = response["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("name", ["nothing.0", "..%2F..%2Fetc%2Fpasswd.0", "x", ".0", "a.b.c"])
def test_other_names_are_404(folder: Path, name: str) -> None:
    write_mails(folder, "One")

    assert Client().get(f"/mail/{name}/").status_code == 404


def test_empty_folder_says_so(folder: Path) -> None:
    assert "No mail has been sent yet." in Client().get("/mail/").text
