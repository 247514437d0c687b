"""The steps of an import: answering what its columns are, beginning it, cancelling it, taking it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.forms.imports import ImportColumnsForm, ImportMappingForm, ImportStartForm
from crm.models import ImportFile, ImportMapping, ImportRun
from crm.rules.errors import RuleError
from crm.rules.importing import deciding
from crm.rules.importing.answers import Answers, first_answers, header_key, header_of
from crm.rules.importing.previewing import Preview, preview
from crm.rules.records.errors import Question
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403
from crm.views.imports import detail_context, go_on
from crm.views.requests import PersonRequest, posted


@require_http_methods(["GET", "HEAD", "POST"])
def import_columns(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask what the columns are, beside the first rows as they would become records; then have all rows checked."""
    run, file = _run_and_file(request, pk)
    if run.state not in (ImportRun.State.ASKING, ImportRun.State.CHECKED):
        return redirect(run)
    saved = _saved(request, file)
    form = ImportColumnsForm(posted(request), file=file, by=request.user, answers=saved or Answers.of(file.answers))
    is_preview = "preview" in request.POST
    if request.method == "POST" and not is_preview and form.is_valid():
        try:
            deciding.answer_questions(run, form.said(), owner=form.cleaned_data["owner"], by=request.user)
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            go_on(run)
            return redirect(run)
    return _show_columns(request, run, file, form, is_preview=is_preview)


def _show_columns(
    request: PersonRequest, run: ImportRun, file: ImportFile, form: ImportColumnsForm, *, is_preview: bool
) -> HttpResponse:
    status = 422 if form.is_bound and not is_preview else 200
    if is_preview:  # a look at what is chosen so far refuses nothing
        form.is_valid()
        form.errors.clear()
    shown, why_not = _preview(file, form, request)
    context = {
        "run": run,
        "file": file,
        "form": form,
        "preview": shown,
        "why_not": why_not,
        "saved": ImportMapping.objects.for_header(request.user, header_key(header_of(file)))[:10],
        "holds": file.layout.get("holds", ""),
    }
    template = "crm/import_columns.html#form" if is_preview and request.htmx else "crm/import_columns.html"
    return render(request, template, context, status=status)


def _preview(file: ImportFile, form: ImportColumnsForm, request: PersonRequest) -> tuple[Preview | None, str]:
    answers = form.said() if form.is_bound and not form.errors else form.answers
    try:
        return preview(file, answers, request.user), ""
    except Question:
        shown = replace(answers, date_format=answers.date_format or "dmy", decimal_mark=answers.decimal_mark or ".")
        return preview(file, shown, request.user), _("Shown with the day first and a decimal point until you answer.")
    except RuleError as refusal:
        return None, refusal.message


def _saved(request: PersonRequest, file: ImportFile) -> Answers | None:
    """The saved answers that the address names, where they are this person's and fit this header."""
    number = whole_number(request.GET.get("saved"))
    mappings = ImportMapping.objects.for_header(request.user, header_key(header_of(file)))
    mapping = mappings.filter(pk=number).first() if number else None
    return Answers.of(mapping.answers) if mapping else None


@require_POST
def import_start(request: PersonRequest, pk: int) -> HttpResponse:
    """Let the checked rows be written."""
    run, file = _run_and_file(request, pk)
    form = ImportStartForm(request.POST, run=run, reader=request.user)
    if not form.is_valid():
        return render(
            request, "crm/import_detail.html", detail_context(run, file, request.user) | {"form": form}, status=422
        )
    return _decide(
        request,
        run,
        lambda: deciding.start_import(
            run,
            duplicates=form.cleaned_data["duplicates"],
            decisions=form.decisions(),
            by=request.user,
            now=timezone.now(),
        ),
        is_work=True,
    )


@require_POST
def import_cancel(request: PersonRequest, pk: int) -> HttpResponse:
    """Stop an import where it is."""
    run = editable_or_403(ImportRun.objects, request.user, pk=pk)
    return _decide(request, run, lambda: deciding.cancel_import(run, by=request.user))


@require_POST
def import_undo(request: PersonRequest, pk: int) -> HttpResponse:
    """Take everything back that an import wrote."""
    run = editable_or_403(ImportRun.objects, request.user, pk=pk)
    return _decide(request, run, lambda: deciding.begin_undo(run, by=request.user), is_work=True)


@require_POST
def import_mapping_save(request: PersonRequest, pk: int) -> HttpResponse:
    """Keep the answers for the next file with these columns."""
    run, file = _run_and_file(request, pk)
    form = ImportMappingForm(request.POST)
    if not form.is_valid():
        return render(
            request,
            "crm/import_detail.html",
            detail_context(run, file, request.user) | {"mapping_form": form},
            status=422,
        )
    deciding.save_mapping(run, name=form.cleaned_data["name"], by=request.user, now=timezone.now())
    messages.success(request, _("Kept. It is offered when a file with the same columns comes again."))
    return redirect(run)


def _run_and_file(request: PersonRequest, pk: int) -> tuple[ImportRun, ImportFile]:
    uploaded = ImportRun.objects.filter(file__isnull=False).exclude(state=ImportRun.State.READING)
    run = editable_or_403(uploaded.select_related("by"), request.user, pk=pk)
    file = ImportFile.objects.select_related("owner_default", "run__by").get(pk=run.pk)
    if not file.layout:  # it could not be read
        file.layout = {"header": [], "encoding": "utf-8", "errors": "strict", "separator": ","}
        file.answers = first_answers(()).plain()
    return run, file


def _decide(request: PersonRequest, run: ImportRun, decision: Any, *, is_work: bool = False) -> HttpResponse:
    """Carry a decision out and go back to the import's page; one that comes too late gets it as it stands (409)."""
    try:
        decision()
    except deciding.TooLate as refusal:
        messages.error(request, refusal.message)
        run.refresh_from_db()
        file = ImportFile.objects.filter(pk=run.pk).first()
        return render(request, "crm/import_detail.html", detail_context(run, file, request.user), status=409)
    if is_work:
        go_on(run)
    return redirect(run)
