"""Sends letters to customers: never twice. Everything that may stop one is asked again in the moment of sending."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from crm.models import Activity, Email, Invitation, OutboxRow, User
from crm.rules import mail_html, outbox
from crm.rules.activities import answer_lead, follow_touches
from crm.rules.audit import acting
from crm.rules.bounces import Report, note_bounce
from crm.rules.emails import EMAIL, may_write_about
from crm.rules.mail_troubles import NOT_THEIRS, tell_of, tell_of_unsent
from crm.rules.outbox import Later, NotNeeded, Outcome, Sender, Sent
from crm.rules.sending import Postbox, Refused
from crm.rules.suppression import suppressed
from crm.rules.tokens import issue_token
from crm.rules.wall_clock import zone_of

INVITATION = "text/calendar; method="
"""Calendars that ask for an answer, as we write them; one that a person attached is a file like any other."""
UNSUBSCRIBE = "unsubscribe"
LONGEST_NAME = 100
UNSUBSCRIBE_FOR = dt.timedelta(days=730)
NO_SUCH_ADDRESS = re.compile(r"^5\d\d[ -]5\.1\.\d+|^550 (?!5\.)")
"""What servers say of an address that does not exist (RFC 3463: 5.1.x; older ones a bare 550)."""

Objection = Callable[[Email], str]
"""Why a letter must not leave now ("" for no reason); apps and subjects that write letters add theirs."""
objections: list[Objection] = []


def send_email(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Send the letter of `row`, or say why not: suppressed meanwhile, its author gone, an allowance used up."""
    email = Email.objects.select_related("author").prefetch_related("attachments").get(row=row)
    author = email.author
    if author is None or not author.is_active:
        return NotNeeded("not sent: its author can no longer log in")
    if found := suppressed(email.to_address):
        return NotNeeded(f"not sent: the address gets no more mail ({found.reason})")
    # Asked first: what wrote the letter ends by it, and needs nobody to be told.
    if reason := next(filter(None, (objection(email) for objection in objections)), ""):
        return NotNeeded(reason)
    if not (may_write_about(email.subject, author) or _tells_of_meeting(email)):
        words = "not sent: its author may no longer write about the record, or it is in the bin"
        return NotNeeded(words, then=lambda: tell_of(email, NOT_THEIRS))
    if until := _allowance_returns(email, now=timezone.now()):
        return Later(until)
    message = _message(row, email, author)
    try:
        answer = postbox.send(message)
    except Refused as refusal:
        _note_refusal(email, str(refusal))
        raise
    provider_id = providers_name_of(message)
    return Sent(answer, then=lambda: _note_sent(email, now=timezone.now(), provider_id=provider_id))


def note_left(row: OutboxRow) -> None:
    """Put a letter that had left after all on the timeline."""
    _note_sent(Email.objects.select_related("author").get(row=row), now=row.claimed_at or timezone.now())


outbox.register(
    Sender(
        EMAIL,
        send_email,
        may_repeat=False,
        label=gettext_lazy("E-mails to customers"),
        unsent=tell_of_unsent,
        left=note_left,
    )
)


def sending_address(author: User) -> str:
    """Return the author's own address where the organisation may send in its name, else the organisation's."""
    domain = author.email.rpartition("@")[2].lower()
    return author.email if domain in settings.MAIL_OWN_DOMAINS else parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _message(row: OutboxRow, email: Email, author: User) -> EmailMultiAlternatives:
    headers = {"Message-ID": row.message_id}
    if email.in_reply_to:
        headers |= {"In-Reply-To": email.in_reply_to, "References": email.references}
    unsubscribe_url = _unsubscribe_url(email) if email.can_unsubscribe else ""
    if unsubscribe_url:
        headers |= {"List-Unsubscribe": f"<{unsubscribe_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    message = EmailMultiAlternatives(
        subject=email.subject_line,
        body=email.text + (f"\n\n{unsubscribe_url}\n" if unsubscribe_url else "\n"),
        from_email=_named(author.name, sending_address(author)),
        to=[_named(email.to_name, email.to_address)],
        reply_to=[_named(author.name, author.email)],
        headers=headers,
    )
    with translation.override(author.language):
        message.attach_alternative(mail_html.dressed(email.html, unsubscribe_url=unsubscribe_url), "text/html")
    message.metadata = {"email": str(email.pk)}  # type: ignore[attr-defined]  # a provider's reports bring it back
    for file in email.attachments.all():
        if file.content_type.startswith(INVITATION):
            # Mail programs look for it among the texts, people among the files.
            message.attach_alternative(bytes(file.content).decode(), file.content_type)
            message.attach(file.name, bytes(file.content), "application/ics")
        else:
            message.attach(file.name, bytes(file.content), file.content_type)
    return message


def _tells_of_meeting(email: Email) -> bool:
    """Whether it is an invitation: that leaves as long as its meeting stands, and calls it off when it does not."""
    return Invitation.objects.filter(email=email).exists()


def _named(name: str, address: str) -> str:
    """Write an address with its name, on one line whatever the name holds."""
    plain = "".join(char for char in " ".join(name.split()) if char.isprintable())
    return formataddr((plain[:LONGEST_NAME], address))


def _unsubscribe_url(email: Email) -> str:
    now = timezone.now()
    secret = issue_token(act=UNSUBSCRIBE, opens=email, expires_at=now + UNSUBSCRIBE_FOR, by=None, now=now)
    return settings.PUBLIC_BASE_URL + reverse("unsubscribe", args=[secret])


def providers_name_of(message: EmailMultiAlternatives) -> str:
    """Return the id under which a provider took the message, and will report on it; "" where a mail server did."""
    return str(getattr(getattr(message, "anymail_status", None), "message_id", None) or "")


def _note_sent(email: Email, *, now: dt.datetime, provider_id: str = "") -> None:
    """Put the letter on the timeline of its record: an outbound touch."""
    with acting(email.author):
        activity = Activity.objects.create(
            subject=email.subject,
            kind=Activity.Kind.EMAIL,
            direction=Activity.Direction.OUT,
            author=email.author,
            at=now,
            title=email.subject_line[:200],
            body=email.text[:10_000],
        )
        Email.objects.filter(pk=email.pk).update(activity=activity, at=now, provider_id=provider_id)
        follow_touches(email.subject)
        answer_lead(email.subject)


def _note_refusal(email: Email, answer: str) -> None:
    if NO_SUCH_ADDRESS.match(answer):
        report = Report(email.to_address, key=f"smtp:{email.pk}", email=email, detail=answer)
        note_bounce(report, is_hard=True, is_told=False, now=timezone.now())


def _allowance_returns(email: Email, *, now: dt.datetime) -> dt.datetime | None:
    """Return the next morning of the organisation where the sender's or the domain's allowance of today is used up."""
    zone = zone_of(settings.TIME_ZONE)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    domain = email.to_address.rpartition("@")[2].lower()
    today, leaving = Email.objects.outbound().filter(at__gte=midnight), _leaving_before(email)

    def count(**whose: object) -> int:
        return today.filter(**whose).count() + leaving.filter(**whose).count()

    is_used_up = (
        count(author=email.author) >= settings.MAIL_PER_SENDER_A_DAY
        or count(to_domain=domain) >= settings.MAIL_PER_DOMAIN_A_DAY
    )
    return (midnight + dt.timedelta(days=1, hours=8)) if is_used_up else None


def _leaving_before(email: Email) -> QuerySet[Email]:
    """The letters that other senders have in hand at this moment, and took before this one."""
    claimed_at = OutboxRow.objects.filter(email=email).values("claimed_at")
    return Email.objects.outbound().filter(
        row__state=OutboxRow.State.IN_FLIGHT, row__claimed_at__lt=Subquery(claimed_at)
    )
