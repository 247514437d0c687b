"""The end of an import: written down, and told to the person who may have left its page."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models import ImportFile, ImportRun, Notification
from crm.rules.audit import acting


def end_import(run: ImportRun, state: ImportRun.State, *, reason: str = "", warnings: Sequence[str] = ()) -> bool:
    """End an import that is under way, and tell whose it is; false where it was ended by somebody else."""
    with acting(run.by):
        under_way = ImportRun.objects.filter(pk=run.pk, state=run.state)
        if not under_way.update(state=state, stop_reason=reason[:500], finished_at=Now(), warnings=list(warnings)):
            return False
        ImportFile.objects.filter(pk=run.pk).update(attempts=0)
        run.refresh_from_db()
        if run.by_id:
            _tell(run)
    return True


def _tell(run: ImportRun) -> None:
    """Leave a notice; the key lets an import end twice (stopped, taken back) and tell of each end once."""
    Notification.objects.bulk_create(
        [
            Notification(
                user_id=run.by_id,
                kind=Notification.Kind.IMPORT,
                dedupe_key=f"import:{run.pk}:{run.state}",
                subject_type=ContentType.objects.get_for_model(ImportRun),
                subject_id=run.pk,
                text=_sentence(run)[:300],
                at=timezone.now(),
            )
        ],
        ignore_conflicts=True,
    )


def _sentence(run: ImportRun) -> str:
    if run.state == ImportRun.State.DONE:
        done = ngettext(
            "“%(file)s” is imported: %(good)d row of %(all)d.",
            "“%(file)s” is imported: %(good)d rows of %(all)d.",
            run.done - run.failed,
        )
        return done % {"file": run.file_name, "good": run.done - run.failed, "all": run.done}
    return _("The import of “%(file)s” stopped. %(reason)s") % {"file": run.file_name, "reason": run.stop_reason}
