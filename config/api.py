"""The REST API: each app's routers under one roof, and the manners they share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI

from crm.api import activities, follow_ups, leads, lookups
from crm.api.authenticating import TokenAuth, as_token
from crm.api.problems import Problem, StrictParser, answer_problem, not_found, register_problems
from metrics.api import kpis
from pipeline.api import companies, converting, deals, moving, stages

ROUTERS = (
    leads.router, converting.router, companies.router, deals.router, moving.router, stages.router, activities.router,
    follow_ups.router, lookups.router, kpis.router,
)  # fmt: skip
DESCRIPTION = "What the pages show and do, for programs: docs/api.md tells how."

# No documentation page: its styles and scripts stand inline, and our policy allows none. openapi.json feeds any viewer.
api = NinjaAPI(
    title="Voronka",
    version="1",
    description=DESCRIPTION,
    auth=TokenAuth(),
    parser=StrictParser(),
    urls_namespace="api",
    docs_url=None,
)
api.add_decorator(as_token, mode="operation")
for router in ROUTERS:
    api.add_router("", router)
register_problems(api)


def _public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let the token decide, not the login; and let a wrong method be a problem like any other."""

    @login_not_required
    @csrf_exempt
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            allowed = response["Allow"]
            problem = Problem(405, "wrong_method", _("Here one may: %(methods)s.") % {"methods": allowed})
            response = answer_problem(request, problem)
            response["Allow"] = allowed
        response["Cache-Control"] = "no-store"
        return response

    return answer


def _addresses() -> list[URLPattern]:
    """What the framework lists; where that is nothing (its home page too), 404 as a problem."""
    listed: list[Any] = api.urls[0]
    for address in listed:
        address.callback = _public(not_found if address.name == "api-root" else address.callback)
    return [*listed, re_path("", _public(not_found))]


urls = (_addresses(), "ninja", "api")
