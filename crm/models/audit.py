"""The audit log: every change of an audited table, written by PostgreSQL in the same transaction.

A trigger sees what any code path does (rules, admin, bulk updates, raw SQL). Who did it and through what comes from
two transaction-local settings that `crm.rules.audit.acting` sets. A third, set by `crm.rules.audit.erasing` alone,
opens the one door in the log: a value may become `ERASED`, and nothing else (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.person import ERASED

ModelClass = TypeVar("ModelClass", bound=type[models.Model])

ALWAYS_IGNORED = ("version", "updated_at", "rank", "search", "next_step_at", "last_touch_at", "stage_entered_at")
"""Columns that follow from others or order a column: a change of only these is no change worth a line."""

audited_kinds: dict[str, type[models.Model]] = {}
"""Every audited model by the kind of its entries."""


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Audit entries; reading them goes through the record they belong to."""

    def about(self, kind: str, *pks: int) -> AuditEntryQuerySet:
        """Everything that happened to one record (and to those merged into it), newest first."""
        return self.filter(kind=kind, record_id__in=pks).order_by("-pk")


_APPEND_ONLY = """
IF TG_OP = 'UPDATE' AND current_setting('voronka.erasing', true) = 'on'
    AND to_jsonb(NEW) - ARRAY['before', 'after'] = to_jsonb(OLD) - ARRAY['before', 'after']
    AND NOT EXISTS (
        SELECT FROM (VALUES (OLD.before, NEW.before), (OLD.after, NEW.after)) AS side (was, became),
            LATERAL (
                SELECT * FROM jsonb_each(was) w FULL JOIN jsonb_each(became) b USING (key)
            ) AS pair (key, was, became)
        WHERE pair.became IS DISTINCT FROM pair.was
            AND (pair.was IS NULL OR pair.became IS DISTINCT FROM '"@erased@"'::jsonb)
    )
THEN
    RETURN NEW;
END IF;
RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;
"""

_ERASURE_WITHOUT_CONTENTS = """
IF current_setting('voronka.erasing', true) = 'on' AND NEW.action = 'changed' THEN
    NEW.action := 'erased';
    NEW.before := '{}';
    NEW.after := '{}';
END IF;
RETURN NEW;
"""


class AuditEntry(models.Model):
    """Who changed what, through what, from what to what, and when. Only PostgreSQL writes it; nothing alters it.

    But for an erasure, which leaves who changed what kind of thing when, without what it said about a person.
    """

    class Action(models.TextChoices):
        """What happened to the row."""

        CREATED = "created", _("created")
        CHANGED = "changed", _("changed")
        DELETED = "deleted", _("deleted")
        ERASED = "erased", _("erased on request")

    at = models.DateTimeField(_("when"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        verbose_name=_("who"),
    )
    through = models.CharField(_("through"), max_length=20)
    note = models.CharField(_("note"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=20)
    record_id = models.BigIntegerField(_("record"))
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    before = models.JSONField(_("before"))
    after = models.JSONField(_("after"))

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        ordering = ("-pk",)
        indexes = (
            # The history panel of one record, newest first.
            models.Index(fields=("kind", "record_id", "-id"), name="crm_audit_record"),
        )
        triggers = (
            pgtrigger.Trigger(
                name="append_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=_APPEND_ONLY.replace("@erased@", ERASED),
            ),
            pgtrigger.Trigger(
                name="erasure_without_contents",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_ERASURE_WITHOUT_CONTENTS,
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id} {self.action}"


_WRITE_ENTRY = """
IF TG_OP = 'UPDATE' AND old_row = new_row THEN
    RETURN NULL;
ELSIF TG_OP = 'UPDATE' THEN
    SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key) INTO was, became
    FROM jsonb_each(old_row) o WHERE o.value IS DISTINCT FROM new_row -> o.key;
ELSE
    was := jsonb_strip_nulls(old_row);
    became := jsonb_strip_nulls(new_row);
END IF;
INSERT INTO crm_auditentry (at, actor_id, through, note, kind, record_id, action, before, after)
VALUES (
    clock_timestamp(),
    nullif(current_setting('voronka.actor', true), '')::bigint,
    coalesce(nullif(current_setting('voronka.through', true), ''), 'system'),
    coalesce(current_setting('voronka.note', true), ''),
    '@kind@',
    CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END,
    CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
    was,
    became
);
RETURN NULL;
"""


def audited(*, kind: str, ignore: tuple[str, ...] = ()) -> Callable[[ModelClass], ModelClass]:
    """Mark a model whose every insert, update and delete writes an `AuditEntry` of `kind`, `ignore` columns apart."""
    ignored = ", ".join(f"'{name}'" for name in (*ALWAYS_IGNORED, *ignore))
    row = "jsonb := CASE WHEN TG_OP = '{0}' THEN '{{}}'::jsonb ELSE to_jsonb({1}) - ARRAY[" + ignored + "] END"
    trigger = pgtrigger.register(
        pgtrigger.Trigger(
            name=f"audit_{kind}",
            when=pgtrigger.After,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            declare=[
                ("old_row", row.format("INSERT", "OLD")),
                ("new_row", row.format("DELETE", "NEW")),
                ("was", "jsonb"),
                ("became", "jsonb"),
            ],
            func=_WRITE_ENTRY.replace("@kind@", kind),
        )
    )

    def register(model: ModelClass) -> ModelClass:
        audited_kinds[kind] = model
        return trigger(model)

    return register
