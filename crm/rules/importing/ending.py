"""The end of an import: written down, and told to the person who may have left its page."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.models import ImportFile, ImportRun, Notification, NotificationChoice, OutboxRow
from crm.rules import outbox
from crm.rules.audit import acting
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell

ENDED = "import"
KIND = register(
    NoticeKind(
        ENDED,
        gettext_lazy("Imports that have ended"),
        icon="database-import",
        by_mail=NotificationChoice.Mail.NEVER,
        is_own=True,
    )
)


def end_import(run: ImportRun, state: ImportRun.State, *, reason: str = "", warnings: Sequence[str] = ()) -> bool:
    """End an import that is under way, and tell whose it is; false where it was ended by somebody else."""
    with acting(run.by):
        under_way = ImportRun.objects.filter(pk=run.pk, state=run.state)
        if not under_way.update(state=state, stop_reason=reason[:500], finished_at=Now(), warnings=list(warnings)):
            return False
        ImportFile.objects.filter(pk=run.pk).update(attempts=0)
        run.refresh_from_db()
        if state != ImportRun.State.CANCELLED:  # who cancelled it knows
            outbox.queue([Intent(ENDED, f"{ENDED}:{run.pk}:{state}", run.by_id, payload={"run": run.pk})])
    return True


def send_ended(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell the person that their import has ended."""
    run = ImportRun.objects.select_related("by").filter(pk=row.payload["run"]).first()
    if run is None or run.by is None:
        return NotNeeded("the import is gone")
    with translation.override(run.by.language):
        text = _sentence(run)[:300]
    notice = Notification(user=run.by, kind=ENDED, dedupe_key=row.dedupe_key, subject=run, text=text)
    return tell(row, News(run.by, [notice], "import_ended", {"run": run, "sentence": text}), postbox)


def _sentence(run: ImportRun) -> str:
    if run.state == ImportRun.State.STOPPED:
        return _("The import of “%(file)s” stopped. %(reason)s") % {"file": run.file_name, "reason": run.stop_reason}
    good = run.done - run.failed
    done = ngettext(
        "“%(file)s” is imported: %(good)d row of %(all)d.", "“%(file)s” is imported: %(good)d rows of %(all)d.", good
    )
    return done % {"file": run.file_name, "good": good, "all": run.done}


outbox.register(Sender(ENDED, send_ended, digest=outbox.LATE_NEWS, label=KIND.label))
