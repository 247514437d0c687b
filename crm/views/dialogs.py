"""A form in a dialog where htmx asks for it, and on a page of its own where a plain browser does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import trigger_client_event

from crm.views.requests import PersonRequest


def render_dialog(
    request: PersonRequest,
    form: forms.BaseForm,
    context: Mapping[str, Any],
    *,
    template: str = "components/dialog.html",
    status: int | None = None,
) -> HttpResponse:
    """Show `form` by `template` (title, action, submit in `context`): 422 with its errors, 200 without, or `status`."""
    page = template if request.htmx else "components/dialog_page.html"
    context = {**context, "form": form, "dialog_template": template, "is_page": not request.htmx}
    return render(request, page, context, status=status or (422 if form.errors else 200))


def close_dialog(request: PersonRequest, *, to: Any, event: str = "timeline-changed") -> HttpResponse:
    """Say that the dialog has done its work: htmx closes it and hears `event`; a plain browser goes on to `to`."""
    if not request.htmx:
        return redirect(to)
    return trigger_client_event(trigger_client_event(HttpResponse(), event), "dialog-close")
