"""Pages for those who build Voronka: samples of every piece of the interface, with invented content."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

SAMPLES = ("pieces", "board", "board-phone", "my-day", "deal", "leads", "metrics")


@require_safe
@login_not_required
def samples(request: HttpRequest, name: str = "pieces") -> HttpResponse:
    """Show one sheet of samples; ?theme=dark paints it dark."""
    if name not in SAMPLES:
        raise Http404
    return render(request, f"dev/{name.replace('-', '_')}.html", {"samples": SAMPLES, "sample": name})
