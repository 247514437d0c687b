"""Telling a person at once that a form brought them a lead, in our words alone: what the visitor wrote stays here."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Lead, Notification, OutboxRow, User
from crm.rules.notice_kinds import NoticeKind
from crm.rules.notice_kinds import register as register_kind
from crm.rules.outbox import LATE_NEWS, Intent, NotNeeded, Outcome, Sender, queue, register
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell

NEW_LEAD = "new_lead"
KIND = register_kind(NoticeKind(NEW_LEAD, gettext_lazy("Leads that forms bring you"), icon="inbox"))


def queue_news(lead: Lead) -> None:
    """Let the owner be told of a lead that just came in; a lead nobody owns waits in the inbox."""
    if lead.owner_id is not None:
        queue([Intent(NEW_LEAD, f"{NEW_LEAD}:{lead.pk}", lead.owner_id, lead.created_at, {"lead": lead.pk})])


def _send(row: OutboxRow, postbox: Postbox) -> Outcome:
    person = row.recipient
    waiting = Lead.objects.none() if person is None else Lead.objects.visible_to(person).waiting()
    lead = waiting.filter(pk=row.payload["lead"], owner=person).select_related("source").first()
    if person is None or lead is None:
        return NotNeeded("answered, closed or handed over")
    return tell(row, News(person, [_notice(person, lead, row.dedupe_key)], NEW_LEAD, {"lead": lead}), postbox)


def _notice(person: User, lead: Lead, key: str) -> Notification:
    with translation.override(person.language):
        text = _("A new lead waits for your answer: %(source)s") % {"source": lead.source or _("Lead form")}
    return Notification(user=person, kind=KIND.key, dedupe_key=key, subject=lead, text=text[:300])


FORM_NEWS = register(Sender(NEW_LEAD, _send, digest=LATE_NEWS, label=KIND.label))
