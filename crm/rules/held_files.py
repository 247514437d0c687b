"""Files handed over with an e-mail that could not be written yet: held for its author, so that nothing is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from crm.models import EmailAttachment, User
from crm.rules.attached_files import File, refuse_too_much

HELD_FOR = dt.timedelta(days=1)


def hold_files(files: Iterable[File], *, by: User, beside: Iterable[EmailAttachment] = ()) -> list[EmailAttachment]:
    """Keep the files for a day; TooLarge where they are too much together with those held `beside` them."""
    files = list(files)
    refuse_too_much([*(as_file(held) for held in beside), *files])
    return [
        EmailAttachment.objects.create(
            held_by=by, name=file.name, content_type=file.content_type, content=file.content, size=len(file.content)
        )
        for file in files
    ]


def held_files(pks: Iterable[int], *, by: User) -> list[EmailAttachment]:
    """Return those of the files that are held for `by`."""
    return list(EmailAttachment.objects.filter(pk__in=list(pks), held_by=by))


def let_go(held: Iterable[EmailAttachment]) -> None:
    """Forget files that are on their way."""
    EmailAttachment.objects.filter(pk__in=[file.pk for file in held], held_by__isnull=False).delete()


def as_file(held: EmailAttachment) -> File:
    """Return a held file as letters take it."""
    return File(held.name, held.content_type, bytes(held.content))


def forget_held(*, now: dt.datetime) -> int:
    """Throw away what was held for longer than a day."""
    count, _by_model = EmailAttachment.objects.filter(held_by__isnull=False, created_at__lt=now - HELD_FOR).delete()
    return count
