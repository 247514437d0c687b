"""Pages for those who build Voronka: samples of every piece of the interface, with invented content."""

import json
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe

SAMPLES = ("pieces", "board", "my-day", "deal", "leads", "metrics")
LANGUAGES = ("en", "ru")
SPARKS = (
    (2, 3, 5, 5, 6, 9, 12, 13, 14, 13, 16, 17),
    (8, 6, 5, 6, 18, 15, 14, 13, 3, 4, 9, 6),
    (5, 7, 11, 4, 5, 11, 9, 12, 12, 12, 18, 15),
    (4, 3, 2, 7, 5, 9, 8, 6, 8, None, 11, 13),
)


@require_safe
@login_not_required
def samples(request: HttpRequest, name: str = "pieces") -> HttpResponse:
    """Show one sheet: ?theme=dark paints it dark, ?lang=ru writes it in Russian, ?drag=1 has a card in hand."""
    if name not in SAMPLES:
        raise Http404
    language = request.GET.get("lang", "en")
    with override(language if language in LANGUAGES else "en"):
        return render(request, f"dev/{name.replace('-', '_')}.html", _sample_context(request, name))


def _sample_context(request: HttpRequest, name: str) -> dict[str, Any]:
    is_russian = request.GET.get("lang") == "ru"
    # Not a person of the database: a sheet shows the same to everybody.
    person = SimpleNamespace(
        name="Анна Петрова" if is_russian else "Anna Petrova",
        email="anna@demo.test",
        initials="АП" if is_russian else "AP",
        role="rep",
        is_authenticated=True,
        theme=request.GET.get("theme", "auto"),
    )
    return {
        "samples": SAMPLES,
        "sample": name,
        "user": person,
        "badges": {"my_day": 3, "leads": 4},
        "is_russian": is_russian,
        "currency": "RUB" if is_russian else "EUR",
        "is_dragging": "drag" in request.GET,
        "spark": SPARKS,
        "columns": _columns("ru" if is_russian else "en") if name == "board" else [],
    }


def _columns(language: str) -> list[dict[str, Any]]:
    """The board's invented deals."""
    file = settings.BASE_DIR / "templates" / "dev" / f"board.{language}.json"
    columns: list[dict[str, Any]] = json.loads(file.read_text())
    return columns
