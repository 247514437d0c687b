"""Links in our letters: they lead by way of here to the one address that is kept for them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.rules.sequences.links import follow_link
from crm.views.doors import secret_door


class _Elsewhere(HttpResponseRedirect):
    """On to the web, and nowhere else."""

    allowed_schemes = ["http", "https"]


@require_safe
@secret_door
def tracked_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Go on to where the link leads; reading its head alone (as link checkers do) is no opening."""
    url = follow_link(secret, now=timezone.now(), is_read=request.method == "GET")
    if not url:
        raise Http404(_("This link is no longer valid."))
    return _Elsewhere(url)
