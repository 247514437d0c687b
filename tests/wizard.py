"""How tests walk through the import wizard: each step posts what its form shows, with what the test changes."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from crm.models import ImportRun, User

LEADS = (
    "Full name,E-mail,Company,Lead source\nAnna Berg,anna@berg.test,Berg AG,Fair\nBoris Kim,boris@kim.test,Kim,Fair\n"
)


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def upload(client: Client, content: str | bytes, *, name: str = "people.csv", kind: str = "") -> ImportRun:
    body = content.encode() if isinstance(content, str) else content
    response = client.post(reverse("import_create"), {"file": SimpleUploadedFile(name, body), "kind": kind})
    assert response.status_code == 302, response.content.decode()[-3000:]
    return ImportRun.objects.latest("pk")


def answers(client: Client, run: ImportRun, **changes: str) -> dict[str, str]:
    """What the columns' form would post as it stands, with `changes`."""
    form = client.get(reverse("import_columns", args=[run.pk])).context["form"]
    posted = {name: form[name].value() for name in form.fields}
    posted |= changes
    return {name: "" if value is None else str(getattr(value, "pk", value)) for name, value in posted.items()}


def check(client: Client, run: ImportRun, **changes: str) -> ImportRun:
    response = client.post(reverse("import_columns", args=[run.pk]), answers(client, run, **changes))
    assert response.status_code == 302, response.context["form"].errors
    run.refresh_from_db()
    return run


def start(client: Client, run: ImportRun, duplicates: str = "update", **decisions: str) -> ImportRun:
    response = client.post(reverse("import_start", args=[run.pk]), {"duplicates": duplicates, **decisions})
    assert response.status_code == 302
    run.refresh_from_db()
    return run


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    return run.created, run.updated, run.skipped, run.failed
