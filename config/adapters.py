"""What allauth asks of this site."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import Http404, HttpRequest, HttpResponse


class ClosedAccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an admin; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 (allauth passes it)
        """Never."""
        return False


def closed_door(_request: HttpRequest) -> HttpResponse:
    """404 for what allauth offers and we do not: a person's address is the admin's to change, as it is who they are."""
    raise Http404
