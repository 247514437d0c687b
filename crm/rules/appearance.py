"""How a person likes the interface: its colours, its language, the columns of its lists."""

from collections.abc import Sequence

from crm.models import User
from crm.rules.audit import acting


def choose_theme(person: User, *, theme: User.Theme) -> None:
    """Keep the theme for this person, on every device they log in from."""
    with acting(person):
        person.theme = theme
        person.save(update_fields=["theme"])


def choose_language(person: User, *, language: str) -> None:
    """Keep the language for this person: pages, mails and reminders speak it from now on."""
    with acting(person):
        person.language = language
        person.save(update_fields=["language"])


def choose_columns(person: User, *, name: str, keys: Sequence[str]) -> None:
    """Keep which columns this person's list of that name shows, in their order; none for the standard ones."""
    with acting(person):
        fresh = User.objects.select_for_update().get(pk=person.pk)  # two lists may be set up at the same time
        kept = {other: columns for other, columns in fresh.columns.items() if other != name}
        fresh.columns = {**kept, name: list(keys)} if keys else kept
        fresh.save(update_fields=["columns"])
