"""Links in letters that lead by way of this site: which were opened, and where they go. Only stored addresses are."""

from __future__ import annotations

import datetime as dt
import re
from html import escape, unescape

from django.conf import settings
from django.db.models import F, Q
from django.urls import reverse

from crm.models import Email, EmailLink
from crm.rules import mail_html
from crm.rules.tokens import digest_of, new_secret

_LINK = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"]+)(")', re.IGNORECASE)
SCANNED_WITHIN = dt.timedelta(seconds=20)
"""Mail servers open every link of a letter when it arrives, to look for malware; that is no person's interest."""


def track_links(email: Email) -> int:
    """Let the links of a letter that has not left lead by way of this site; return how many there are."""
    links: list[EmailLink] = []

    def by_way(found: re.Match[str]) -> str:
        secret = new_secret()
        links.append(EmailLink(email=email, digest=digest_of(secret), url=unescape(found[2])))
        return f"{found[1]}{escape(settings.PUBLIC_BASE_URL + reverse('tracked_link', args=[secret]))}{found[3]}"

    html = _LINK.sub(by_way, email.html)
    if links:
        EmailLink.objects.bulk_create(links)
        email.html, email.text = html, mail_html.plain(html)
        email.save(update_fields=["html", "text"])
    return len(links)


def follow_link(secret: str, *, now: dt.datetime, is_read: bool) -> str:
    """Return where a link leads, "" where there is none (any more); with `is_read`, note that it was opened."""
    link = EmailLink.objects.select_related("email").filter(digest=digest_of(secret)).first()
    if link is None:
        return ""
    sent_at = link.email.at
    if is_read and sent_at is not None and now - sent_at > SCANNED_WITHIN:
        EmailLink.objects.filter(pk=link.pk).update(clicks=F("clicks") + 1)
        EmailLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=now)
    return link.url


def has_opened(email: Email) -> bool:
    """Whether a link of the letter was opened."""
    return EmailLink.objects.filter(Q(email=email), opened_at__isnull=False).exists()
