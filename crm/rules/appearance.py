"""How a person likes the interface: its colours and its language."""

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
