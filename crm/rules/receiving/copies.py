"""Whether a message came in before, out of another folder or mailbox."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db.models import QuerySet

from crm.models import Email
from crm.rules.receiving.parsing import Mail

MOST = 20


def same_as(mail: Mail, kept: QuerySet[Email]) -> Email | None:
    """Return the e-mail that the same message became out of another folder or mailbox: two of us got it.

    It is the same where it says the same, too. Message-ID and sender are known to many; by them alone, whoever can put
    a message into a mailbox of theirs would be shown another's.
    """
    if not mail.message_id:
        return None
    alike = kept.filter(
        message_id=mail.message_id,
        from_address=mail.sender[1],
        subject_line=mail.subject_line,
        text=mail.text,
        html=mail.html,
    ).order_by("pk")
    files = _hashed((file.name, file.content) for file in mail.contents.files)
    return next((email for email in alike[:MOST] if files == _hashed(_files_of(email))), None)


def _files_of(email: Email) -> Iterable[tuple[str, bytes]]:
    return ((name, bytes(content)) for name, content in email.attachments.values_list("name", "content"))


def _hashed(files: Iterable[tuple[str, bytes]]) -> list[tuple[str, str]]:
    return sorted((name, hashlib.sha256(content).hexdigest()) for name, content in files)
