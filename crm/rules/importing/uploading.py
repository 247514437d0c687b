"""Uploaded files: taken in a piece at a time, kept in PostgreSQL for every worker, thrown away after some days."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db.models import F, Func, IntegerField, Q, Value
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext as _

from crm.models import ImportChunk, ImportFile, ImportRun, Person, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError

PIECE = 1 << 20
KEPT_FOR = dt.timedelta(days=7)
FORGOTTEN_AFTER = dt.timedelta(days=30)


class TooLarge(RuleError):
    """The file has more bytes than are taken."""

    code = "too_large"


class NothingInside(RuleError):
    """The file has no bytes."""

    code = "empty"


def refuse_too_large(size: int) -> None:
    """Raise TooLarge for a file of so many bytes, or more."""
    if size > settings.IMPORT_MAX_BYTES:
        raise TooLarge(
            _("The file is larger than %(limit)d MB. Divide it into several.")
            % {"limit": settings.IMPORT_MAX_BYTES >> 20}
        )


def store_upload(*, name: str, pieces: Iterable[bytes], kind: str, by: User, now: dt.datetime) -> ImportRun:
    """Keep an uploaded file, a piece at a time, as an import that is to be read; `kind` may be "" for a guess."""
    if not by.may_write:
        raise NotAllowed(_("You may look, but not change anything."))
    digest, size = hashlib.sha256(), 0
    with acting(by):
        run = ImportRun.objects.create(
            kind=kind, file_name=_printable(name), by=by, state=ImportRun.State.READING, started_at=now
        )
        file = ImportFile.objects.create(run=run, size=0, language=by.language)
        for number, piece in enumerate(pieces):
            size += len(piece)
            refuse_too_large(size)
            digest.update(piece)
            ImportChunk.objects.create(file=file, number=number, body=piece)
        if not size:
            raise NothingInside(_("The file is empty. Expected a CSV file whose first line names its columns."))
        file.size, run.file_hash = size, digest.hexdigest()
        file.save(update_fields=["size"])
        run.save(update_fields=["file_hash"])
    return run


def replace_pieces(file: ImportFile, path: Path) -> None:
    """Keep the file at `path` in place of what was uploaded: a workbook as the table it holds."""
    ImportChunk.objects.filter(file=file).delete()
    with path.open("rb") as stream:
        for number, piece in enumerate(iter(lambda: stream.read(PIECE), b"")):
            ImportChunk.objects.create(file=file, number=number, body=piece)


@contextmanager
def copied(file: ImportFile) -> Iterator[Path]:
    """An uploaded file as a file of this machine, under a random name, for as long as one is inside."""
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        path = Path(folder) / secrets.token_hex(16)
        with path.open("wb") as stream:
            for number in range(ImportChunk.objects.filter(file=file).count()):
                stream.write(ImportChunk.objects.values_list("body", flat=True).get(file=file, number=number))
        yield path


def forget_uploads(*, now: dt.datetime) -> int:
    """Throw away the bytes of imports that ended a week ago or were left alone as long; return of how many.

    What was never imported goes wholly after a month. The error file and the way back stay with the run.
    """
    idle = ImportRun.objects.filter(file__is_gone=False).exclude(state__in=ImportRun.UNDER_WAY)
    old = idle.filter(
        Q(finished_at__lt=now - KEPT_FOR) | Q(finished_at__isnull=True, started_at__lt=now - KEPT_FOR)
    ).values_list("pk", flat=True)
    with acting(None):
        gone = ImportFile.objects.filter(pk__in=list(old))
        ImportChunk.objects.filter(file__in=gone).delete()
        count = gone.update(is_gone=True, sample=[])
        ImportRun.objects.filter(
            state__in=(ImportRun.State.ASKING, ImportRun.State.CHECKED), started_at__lt=now - FORGOTTEN_AFTER
        ).delete()
    return count


def forget_uploads_about(person: Person) -> int:
    """Throw away the bytes of files that may name a person, on their request; return of how many files.

    Those of imports that have ended serve nothing any more, and go whatever they hold; of those with questions open
    only what is found in the usual encodings, within reach. What a worker has in hand goes a week after it ended.
    """
    kept = ImportFile.objects.filter(is_gone=False).exclude(run__state__in=ImportRun.UNDER_WAY)
    is_open = Q(run__state__in=(ImportRun.State.ASKING, ImportRun.State.CHECKED))
    in_reach = person.reach.over(ImportFile, "run") if person.reach else Q()
    naming = kept.filter(
        is_open, in_reach, pk__in=ImportChunk.objects.filter(_names_one_of(person.marks)).values("file")
    )
    pks = [*kept.exclude(is_open).values_list("pk", flat=True), *naming.values_list("pk", flat=True)]
    ImportChunk.objects.filter(file__in=pks).delete()
    return ImportFile.objects.filter(pk__in=pks).update(is_gone=True, sample=[])


def _names_one_of(marks: Sequence[str]) -> Q:
    """The condition that a piece of a file holds one of `marks`, in any encoding a spreadsheet writes."""
    wanted = {
        mark.encode(encoding, "ignore")
        for text in marks
        for mark in (text, text.lower())
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "cp1251", "latin-1")
    } - {b""}
    found = Q(pk__in=())
    for piece in wanted:
        found |= Q(GreaterThan(_Position(Value(piece), F("body")), 0))
    return found


class _Position(Func):
    """Where bytes stand in others; 0 where they do not."""

    template = "position(%(expressions)s)"
    arg_joiner = " in "
    output_field = IntegerField()


def _printable(name: str) -> str:
    """A file's name without what no name has (NUL, line ends, marks that turn the text around)."""
    return "".join(character for character in name if character.isprintable())[-255:] or "file"
