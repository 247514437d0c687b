"""Mail that comes in: mailboxes, what waits to be placed, originals."""

from __future__ import annotations

from tests.access.policies import OWNERS, READERS, RESTORERS, WRITERS, Row, form, reads, writes
from tests.access.rows.arguments import of

MAILBOX, EMAIL, UNSORTED = of(pk="mailbox"), of(pk="email"), of(pk="unsorted_email")

# A person's mailbox, and what came into it, is theirs and their managers' alone, whatever their team shares.
ROWS: dict[str, Row] = {
    "triage_list": reads(WRITERS, names=RESTORERS),
    "email_original": reads(READERS, EMAIL),
    "email_place": form(OWNERS, EMAIL),
    "email_mark": writes(OWNERS, EMAIL, fields={"response": "positive"}),
    "email_lead": writes(RESTORERS, UNSORTED),
    "email_set_aside": writes(RESTORERS, UNSORTED),
    "email_take_up": writes(RESTORERS, UNSORTED),
    "mailbox_list": reads(WRITERS, names=RESTORERS),
    "mailbox_create": form(WRITERS),
    "drop_address_renew": writes(WRITERS),
    "mailbox_edit": form(RESTORERS, MAILBOX),
    "mailbox_try": writes(RESTORERS, MAILBOX),
    "mailbox_pause": writes(RESTORERS, MAILBOX),
    "mailbox_delete": writes(RESTORERS, MAILBOX),
    "mailbox_restore": writes(RESTORERS, of(pk="deleted_mailbox")),
}
