"""Telling a person something by the channels they chose, outside their quiet hours: in the page, by mail, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from crm.models import Notification, OutboxRow, User
from crm.rules.notice_kinds import Channels, Mail, channels_of
from crm.rules.notifications import told_to
from crm.rules.outbox import Later, NotNeeded, Outcome, Sent
from crm.rules.quiet_hours import quiet_until
from crm.rules.sending import Postbox, mail

MOST_NOTICES = 20
"""A digest of hundreds (after an import, say) leaves so many in the page; the mail names the rest."""


@dataclass(frozen=True)
class News:
    """What one person is told: notices of one kind for the page, and a mail from templates/emails/`template`.*."""

    person: User
    notices: Sequence[Notification]
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    channels: Channels | None = None
    """How the person wants this kind, where that has been read already."""
    is_kept: bool = False
    """Whether its notices stand in the page already (`keep_all`)."""


def tell(row: OutboxRow, news: News, postbox: Postbox) -> Outcome:
    """Tell `news` once, in the name of `row`: each notice has its own key, the mail the Message-ID of the row."""
    person = news.person
    if not person.is_active:
        return NotNeeded("nobody to tell: the account is closed")
    if until := quiet_until(person, now=timezone.now()):
        return Later(until)
    if not news.is_kept and not any(told.text for told in told_to(person, news.notices)):
        return NotNeeded("the person may no longer see what it is about")
    channels = news.channels or channels_of(person, news.notices[0].kind)
    if not news.is_kept:
        Notification.objects.bulk_create(_kept(news, channels), ignore_conflicts=True)
    if channels.by_mail == Mail.AT_ONCE:
        return Sent(postbox.send(mail(row, person, news.template, news.context)))
    if channels.by_mail == Mail.DAILY:
        return Sent("kept for the daily digest")
    return Sent("in the page") if channels.in_page else NotNeeded("the person wants to hear nothing of this")


def keep_all(many: Sequence[News]) -> list[News]:
    """Write the notices of many at once, of those who may be told now; return them for `tell`, in the same order.

    What cannot be mailed yet stands in the page all the same: the page does not wait for the mail server.
    """
    now = timezone.now()
    channels = [news.channels or channels_of(news.person, news.notices[0].kind) for news in many]
    may_hear = [news.person.is_active and not quiet_until(news.person, now=now) for news in many]
    told = [notice for news, by, may in zip(many, channels, may_hear, strict=True) if may for notice in _kept(news, by)]
    Notification.objects.bulk_create(told, ignore_conflicts=True)
    return [replace(news, channels=by, is_kept=may) for news, by, may in zip(many, channels, may_hear, strict=True)]


def _kept(news: News, channels: Channels) -> Sequence[Notification]:
    """The notices that the page shows or the daily mail waits for; a retry finds them there and adds none."""
    is_daily = channels.by_mail == Mail.DAILY
    if not (channels.in_page or is_daily):
        return ()
    for notice in news.notices:
        notice.is_in_page, notice.awaits_digest = channels.in_page, is_daily
    return news.notices if is_daily else news.notices[:MOST_NOTICES]
