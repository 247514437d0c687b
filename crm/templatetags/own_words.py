"""What the system writes down in its own words, in the reader's: notes of the audit log and answers of the outbox.

The rows keep the English text, which a search finds; what a mail server answered stays as it was said.
"""

from __future__ import annotations

from django import template
from django.utils.translation import gettext_lazy as _

register = template.Library()

_WORDS = {
    "undo": _("undone"),
    "merge": _("merged"),
    "undo merge": _("merge undone"),
    "stage archived": _("the stage was archived"),
    "the bin was emptied": _("the bin was emptied"),
    "came back from nurturing": _("came back on its day"),
    "not answered in time": _("not answered in time"),
    "web": _("a page"),
    "admin": _("the admin"),
    "api": _("the API"),
    "import": _("an import"),
    "job": _("a job"),
    "command": _("a command"),
    "system": _("the system"),
    "accepted": _("accepted"),
    "done": _("done"),
    "done already": _("done already"),
    "deleted": _("deleted"),
    "no longer planned": _("no longer planned"),
    "in the page": _("in the page"),
    "its sender died": _("its sender died"),
    "kept for the daily digest": _("kept for the daily digest"),
    "nobody to tell": _("nobody to tell"),
    "nobody to tell: the account is closed": _("nobody to tell: the account is closed"),
    "nothing to say today": _("nothing to say today"),
    "the person wants to hear nothing of this": _("the person wants to hear nothing of this"),
    "done, deleted or planned anew": _("done, deleted or planned anew"),
    "answered, closed or handed over": _("answered, closed or handed over"),
    "moved on, handed over or gone": _("moved on, handed over or gone"),
    "the import is gone": _("the import is gone"),
    "the letter is gone": _("the letter is gone"),
    "the lead is gone": _("the lead is gone"),
    "the form answers no more": _("the form answers no more"),
    "the address gets no mail": _("the address gets no mail"),
    "not sent: its author can no longer log in": _("not sent: its author can no longer log in"),
}
_BEGINNINGS = {
    "cancelled by ": _("cancelled by %(rest)s"),
    "stage rule: ": _("stage rule “%(rest)s”"),
}


@register.filter
def in_words(text: str) -> str:
    """Return what `text` says in the reader's language; what is not ours, as it is."""
    if text in _WORDS:
        return str(_WORDS[text])
    for beginning, words in _BEGINNINGS.items():
        if text.startswith(beginning):
            return str(words) % {"rest": text.removeprefix(beginning)}
    return text
