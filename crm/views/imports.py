"""The imports a person may see, the upload that begins one, and how one stands."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.forms.imports import ImportMappingForm, ImportStartForm, ImportUploadForm
from crm.jobs import carry_on_import
from crm.models import ImportFile, ImportRun, User
from crm.rules.errors import RuleError
from crm.rules.importing.answers import header_of
from crm.rules.importing.carrying import carry_on
from crm.rules.importing.checking import Findings
from crm.rules.importing.refusals import error_file
from crm.rules.importing.uploading import store_upload
from crm.rules.records.registry import KINDS
from crm.views.addresses import page_of
from crm.views.authorising import visible_or_404, writer_or_403
from crm.views.requests import PersonRequest, posted

PAGE = 30
AT_ONCE_SECONDS = 2.0
TAGS = {
    ImportRun.State.DONE: "is-green",
    ImportRun.State.STOPPED: "is-red",
    ImportRun.State.ASKING: "is-accent",
    ImportRun.State.CHECKED: "is-accent",
}
READ_AT_ONCE = 1 << 20
"""A file of so many bytes is read while the browser waits; a larger one by a worker."""


@require_safe
def import_list(request: PersonRequest) -> HttpResponse:
    """Imports by the wizard and by command, the latest first."""
    writer_or_403(request.user)
    runs = ImportRun.objects.visible_to(request.user).select_related("by", "file")
    page = page_of(runs, request, size=PAGE)
    for run in page:
        dress(run)
    return render(request, "crm/import_list.html", {"page": page})


def import_create(request: PersonRequest) -> HttpResponse:
    """Take a file in and begin to read it."""
    writer_or_403(request.user)
    files = request.FILES if request.method == "POST" else None
    form = ImportUploadForm(posted(request), files, initial={"kind": request.GET.get("kind", "")})
    if form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            run = store_upload(
                name=upload.name,
                pieces=upload.chunks(1 << 20),
                kind=form.cleaned_data["kind"],
                by=request.user,
                now=timezone.now(),
            )
        except RuleError as refusal:
            form.add_error("file", refusal.message)
        else:
            go_on(run, is_quick=upload.size <= READ_AT_ONCE)
            return redirect(run)
    status = 422 if form.errors else 200
    return render(request, "crm/import_create.html", {"form": form}, status=status)


@require_safe
def import_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """How an import stands: what is being done, what the check found, or what came of it."""
    run = visible_or_404(ImportRun.objects.select_related("by", "undone_by"), request.user, pk=pk)
    file = ImportFile.objects.select_related("owner_default").filter(pk=run.pk).first()
    if run.state == ImportRun.State.ASKING and file is not None:
        return redirect("import_columns", pk=run.pk)
    is_poll = bool(request.htmx) and request.htmx.target == "import-state"
    if is_poll and request.GET.get("seen") == _mark(run, file):
        return HttpResponse(status=204)
    template = "crm/import_detail.html#state" if is_poll else "crm/import_detail.html"
    return render(request, template, detail_context(run, file, request.user))


def dress(run: Any) -> None:
    """Give a run what a page says of it beside its own fields."""
    kind = KINDS.get(run.kind)
    run.kind_label = (kind and kind.label) or run.kind
    run.is_by_command = not hasattr(run, "file")
    run.passed_over = run.unchanged + run.skipped
    run.state_tag = TAGS.get(run.state, "")
    run.step = 1 if run.state == ImportRun.State.READING else 3


def detail_context(run: ImportRun, file: ImportFile | None, reader: User) -> dict[str, Any]:
    """What the page of an import is made of, for `reader`."""
    form = ImportStartForm(run=run, reader=reader) if file and run.state == ImportRun.State.CHECKED else None
    counts = file.findings.get("counts", {}) if file else {}
    kind = KINDS.get(run.kind)
    dress(run)
    return {
        "run": run,
        "file": file,
        "kind": kind,
        "mark": _mark(run, file),
        "percent": _percent(run, file),
        "estimate": _estimate(run, file),
        "form": form,
        "counted": counts,
        "foretold": Findings.of(file).foretold(kind) if file and kind else [],
        "good": counts.get("created", 0) + counts.get("updated", 0) + counts.get("unchanged", 0) if counts else 0,
        "left_out": _left_out(file),
        "mapping_form": ImportMappingForm(initial={"name": _mapping_name(run, file)}),
        "records_url": _records_url(run),
        "can_undo": run.state in (ImportRun.State.DONE, ImportRun.State.STOPPED, ImportRun.State.CANCELLED)
        and run.created + run.updated > 0,
    }


@require_safe
def import_problems(request: PersonRequest, pk: int) -> StreamingHttpResponse:
    """The rows that were refused, as a file to correct and send again."""
    run = visible_or_404(ImportRun.objects.filter(file__isnull=False).select_related("file"), request.user, pk=pk)
    response = StreamingHttpResponse(error_file(run), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{run.pk}-errors.csv"'
    return response


def go_on(run: ImportRun, *, is_quick: bool = True) -> None:
    """Do for a moment what the import wants, and leave the rest to a worker."""
    if not is_quick or carry_on(run.pk, seconds=AT_ONCE_SECONDS):
        carry_on_import.delay_on_commit(run.pk)  # type: ignore[attr-defined]  # Job's, see config/celery.py


def _mark(run: ImportRun, file: ImportFile | None) -> str:
    """What tells one look at an import from the next: a poll that finds nothing new changes nothing."""
    return f"{run.state}-{run.last_line}-{file.findings.get('last_line', 0) if file else 0}"


def _percent(run: ImportRun, file: ImportFile | None) -> int:
    if file is None or not file.rows:
        return 0
    done = sum(file.findings.get("counts", {}).values()) if run.state == ImportRun.State.CHECKING else run.done
    return min(100, done * 100 // file.rows)


def _estimate(run: ImportRun, file: ImportFile | None) -> dt.timedelta | None:
    """How long a running import still takes, by how it went so far."""
    if run.state != ImportRun.State.RUNNING or file is None or not run.done:
        return None
    so_far = timezone.now() - run.started_at
    return dt.timedelta(seconds=round(so_far.total_seconds() / run.done * max(0, file.rows - run.done)))


def _left_out(file: ImportFile | None) -> list[str]:
    if file is None or not file.answers:
        return []
    return [name for name, target in zip(header_of(file), file.answers["targets"], strict=True) if not target]


def _mapping_name(run: ImportRun, file: ImportFile | None) -> str:
    kind = KINDS.get(run.kind)
    label = str(kind.label) if kind else run.kind
    return f"{file.program}: {label}" if file and file.program else label


def _records_url(run: ImportRun) -> str:
    """The list of the records that an import brings; "" where its app has none."""
    kind = KINDS.get(run.kind)
    try:
        return reverse(kind.listed_at) if kind and kind.listed_at else ""
    except NoReverseMatch:
        return ""
