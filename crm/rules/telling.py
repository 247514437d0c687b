"""Telling a person something by the channels they chose, outside their quiet hours: in the page, by mail, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from crm.models import Notification, OutboxRow, User
from crm.rules.outbox import Later, NotNeeded, Outcome, Sent
from crm.rules.quiet_hours import quiet_until
from crm.rules.sending import Postbox, mail

MOST_NOTICES = 20
"""A digest of hundreds (after an import, say) leaves so many in the page; the mail names the rest."""


@dataclass(frozen=True)
class News:
    """What one person is told: notices for the page, and a mail written from templates/emails/`template`.*."""

    person: User
    notices: Sequence[Notification]
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


def tell(row: OutboxRow, news: News, postbox: Postbox) -> Outcome:
    """Tell `news` once, in the name of `row`: each notice has its own key, the mail the Message-ID of the row."""
    person = news.person
    if not person.is_active:
        return NotNeeded("nobody to tell: the account is closed")
    if until := quiet_until(person, now=timezone.now()):
        return Later(until)
    if person.reminds_in_page:
        # A retry after a failed mail finds its notices there and adds none.
        Notification.objects.bulk_create(news.notices[:MOST_NOTICES], ignore_conflicts=True)
    if not person.reminds_by_email:
        return Sent("in the page") if person.reminds_in_page else NotNeeded("the person wants no reminders")
    return Sent(postbox.send(mail(row, person, news.template, news.context)))
