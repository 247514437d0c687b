"""Keeping templates of e-mails: written in both languages, checked as they are saved, shared, copied, deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from crm.models import EmailAttachment, EmailTemplate, User
from crm.rules import mail_html
from crm.rules.attached_files import File, refuse_too_much
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed
from crm.rules.merge_fields import check_text
from crm.rules.versions import claim

EDITABLE = ("name", "is_shared", "subject", "subject_ru", "body", "body_ru")
BODIES = ("body", "body_ru")
LONGEST_NAME = 120


def create_template(*, fields: Mapping[str, Any], by: User, files: Iterable[File] = ()) -> EmailTemplate:
    """Keep a new template, `by`'s own; raises NotAllowed, UnknownField or TooLarge."""
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add templates."))
    with acting(by):
        template = EmailTemplate(owner=by)
        _write(template, fields)
        template.save()
        _attach(template, files)
    return template


def edit_template(
    template: EmailTemplate,
    *,
    fields: Mapping[str, Any],
    seen_version: int,
    by: User,
    files: Iterable[File] = (),
    without: Iterable[int] = (),
) -> EmailTemplate:
    """Write the given fields of `EDITABLE`, add `files` and drop those with the ids `without`; else RecordConflict.

    E-mails that wait keep the text they were written with.
    """
    with acting(by):
        fresh = _claimed(template, seen_version=seen_version, by=by)
        _write(fresh, fields)
        fresh.save()
        fresh.attachments.filter(pk__in=list(without)).delete()
        _attach(fresh, files)
    return fresh


def duplicate_template(template: EmailTemplate, *, by: User) -> EmailTemplate:
    """Copy a template that `by` may use into one of their own, shared with nobody, its files along."""
    if not EmailTemplate.objects.visible_to(by).filter(pk=template.pk).exists():
        raise NotAllowed(_("You may look, but not add templates."))
    fields = {name: getattr(template, name) for name in EDITABLE if name != "is_shared"}
    suffix = f" ({_('copy')})"
    fields["name"] = template.name[: LONGEST_NAME - len(suffix)] + suffix
    return create_template(fields=fields, by=by, files=files_of(template))


def delete_template(template: EmailTemplate, *, seen_version: int, by: User, now: dt.datetime) -> None:
    """Put the template into the bin for 30 days; else RecordConflict."""
    with acting(by):
        fresh = _claimed(template, seen_version=seen_version, by=by)
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at"])


def restore_template(template: EmailTemplate, *, by: User, now: dt.datetime) -> EmailTemplate:
    """Take the template out of the bin; NotAllowed after 30 days."""
    with acting(by):
        binned = EmailTemplate.objects.in_bin_of(by, now).select_for_update().filter(pk=template.pk).first()
        if binned is None:
            raise NotAllowed(_("This can no longer be taken out of the bin."))
        EmailTemplate.objects.filter(pk=binned.pk).update(deleted_at=None, version=F("version") + 1)
    binned.refresh_from_db()
    restored: EmailTemplate = binned
    return restored


def files_of(template: EmailTemplate) -> list[File]:
    """Return the files that go along with every e-mail written from the template."""
    return [File(file.name, file.content_type, bytes(file.content)) for file in template.attachments.all()]


def _write(template: EmailTemplate, fields: Mapping[str, Any]) -> None:
    for name in EDITABLE:
        if name in fields:
            value = fields[name]
            setattr(template, name, mail_html.clean(value) if name in BODIES else value)
    for name in ("subject", "subject_ru", *BODIES):
        check_text(getattr(template, name))


def _attach(template: EmailTemplate, files: Iterable[File]) -> None:
    files = list(files)
    refuse_too_much([*files_of(template), *files])
    EmailAttachment.objects.bulk_create(
        EmailAttachment(
            template=template,
            name=file.name,
            content_type=file.content_type,
            content=file.content,
            size=len(file.content),
        )
        for file in files
    )


def _claimed(template: EmailTemplate, *, seen_version: int, by: User) -> EmailTemplate:
    """Raise the version of the template if it is the one seen, and return it locked."""
    refusal = _("You may use this template, but not change it.")
    return claim(template, seen_version=seen_version, by=by, refusal=refusal)
