"""Sentences of Django's admin that we say otherwise: a name put into them would need another case in Russian.

They stand here to be found by makemessages; our catalogue comes before Django's.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

SAID_OTHERWISE = (
    gettext_noop("Add %s"),
    gettext_noop("Change %s"),
    gettext_noop("View %s"),
    gettext_noop("Select %s"),
    gettext_noop("Select %s to change"),
    gettext_noop("Select %s to view"),
    gettext_noop("Add %(name)s"),
    gettext_noop("Add another %(verbose_name)s"),
)
