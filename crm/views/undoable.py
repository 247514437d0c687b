"""A notice that what was just done can be taken back."""

from django.contrib import messages

from crm.views.requests import PersonRequest


def say_undoable(request: PersonRequest, text: str, *, undo_url: str) -> None:
    """Show `text` with a button that posts to `undo_url`; components/toast.html reads the address from the tags."""
    messages.success(request, text, extra_tags=undo_url)
