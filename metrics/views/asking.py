"""Reads the question in an address, and shows it as chips."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.views.chips import Chip
from crm.views.requests import PersonRequest
from metrics.forms.filters import COMPARISONS, ScopeForm
from metrics.scope import Period, Scope
from metrics.views.wording import period_text

SINGLE = ("pipeline", "team", "owner", "source", "campaign", "segment")


@dataclass(frozen=True)
class Question:
    """What an address asks. With errors in `form` there is no scope to ask about."""

    form: ScopeForm
    scope: Scope | None = None
    compared: Period | None = None
    chips: tuple[Chip, ...] = ()
    period_words: str = ""
    compared_words: str = ""
    kept: tuple[tuple[str, str], ...] = ()


def read_question(request: PersonRequest) -> Question:
    """Read the question; a choice that does not exist, or is not the person's to see, is 404."""
    form = ScopeForm(request.GET, viewer=request.user, now=timezone.now())
    if not form.is_valid():
        if form.names_nothing_known:
            raise Http404
        return Question(form)
    return Question(
        form=form,
        scope=form.scope,
        compared=form.compared_period,
        chips=tuple(_chip(request, form, name) for name in SINGLE if _has_choice(form, name)),
        period_words=period_text(form.asked_period),
        compared_words=period_text(form.compared_period),
        kept=tuple(_kept(request, "period", "start", "end")),
    )


def way_here(scope: Scope, points: int = 12) -> list[Period]:
    """Return the periods of a trend, without a month that still runs: half a month looks like a fall."""
    led_up = scope.period.run_up(points + 1)
    is_over = led_up[-1] == scope.period or led_up[-1].ends_at <= scope.now
    return led_up[1:] if is_over else led_up[:-1]


def _has_choice(form: ScopeForm, name: str) -> bool:
    enough = 1 if name == "segment" else 2  # of one pipeline there is nothing to choose; of one segment there is
    return form.cleaned_data[name] is not None or len(form.fields[name].queryset[:2]) >= enough  # type: ignore[attr-defined]


def _chip(request: PersonRequest, form: ScopeForm, name: str) -> Chip:
    chosen = form.cleaned_data[name]
    query = request.GET.copy()
    query.pop(name, None)
    query.pop("page", None)
    return Chip(
        label=str(form.fields[name].label),
        value=_("any") if chosen is None else str(chosen),
        field=form[name],
        is_set=chosen is not None,
        query=_kept(request, name),
        clear_url=f"?{query.urlencode()}",
    )


def _kept(request: PersonRequest, *without: str) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in request.GET.items() if name not in {*without, "page"} and value]


def comparison_links(request: PersonRequest, form: ScopeForm) -> list[tuple[str, str, bool]]:
    """Return each way to compare: its words, its address, whether it is chosen."""
    links = []
    for name, words in COMPARISONS.items():
        query = request.GET.copy()
        query["compare"] = name
        links.append((str(words), f"?{query.urlencode()}", (form.cleaned_data.get("compare") or "before") == name))
    return links
