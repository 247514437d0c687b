"""Telling admins of rules that set each other off in a circle, and of firings that were given up."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Notification, OutboxRow, User
from crm.rules import outbox
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell
from pipeline.models import RuleFiring

TROUBLE = "rule_trouble"
KIND = register(NoticeKind(TROUBLE, gettext_lazy("Stage rules that go wrong"), icon="alert-triangle"))


def tell_of_loop(firing: RuleFiring, *, now: dt.datetime) -> None:
    """Queue a word to every admin, once a day for each rule that was stopped."""
    _queue(firing, f"{TROUBLE}:{firing.rule_id}:{now:%Y-%m-%d}", now=now)


def tell_of_failure(firing: RuleFiring, *, now: dt.datetime) -> None:
    """Queue a word to every admin that a firing was given up."""
    _queue(firing, f"{TROUBLE}:firing:{firing.pk}:{firing.serial}", now=now)


def _queue(firing: RuleFiring, key: str, *, now: dt.datetime) -> None:
    admins = User.objects.active().filter(role=User.Role.ADMIN).values_list("pk", flat=True)
    payload = {"firing": firing.pk}
    outbox.queue(Intent(TROUBLE, f"{key}:{admin}", admin, due_at=now, payload=payload) for admin in admins)


def _send(row: OutboxRow, postbox: Postbox) -> Outcome:
    firings = RuleFiring.objects.select_related("rule__stage", "deal")
    firing, person = firings.filter(pk=row.payload["firing"]).first(), row.recipient
    if firing is None or person is None:
        return NotNeeded("nobody to tell")
    with translation.override(person.language):
        if firing.state == RuleFiring.State.STOPPED:
            text = _("Stage rule “%(rule)s” was stopped: rules set each other off in a circle for “%(deal)s”.")
        else:
            text = _("Stage rule “%(rule)s” could not be carried out for “%(deal)s”.")
        text %= {"rule": firing.rule, "deal": firing.deal}
    notice = Notification(user=person, kind=KIND.key, dedupe_key=row.dedupe_key, subject=firing.deal, text=text[:300])
    context = {"deal": firing.deal, "headline": text, "note": firing.error}
    return tell(row, News(person, [notice], "stage_notice", context), postbox)


outbox.register(Sender(TROUBLE, _send, digest=outbox.LATE_NEWS, label=KIND.label))
