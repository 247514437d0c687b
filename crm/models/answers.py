"""The first answer to a write that carries an idempotency key, so that a retry gets the same."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from crm.models.personal import holds_personal


@holds_personal(searched=("answer",), is_deleted=True, is_log=True)
class FirstAnswer(models.Model):
    """What a person's keyed write was answered; written in the transaction of the write itself, kept for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    purpose = models.CharField(max_length=200)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="crm_firstanswer_key_once"),)
        # Throwing away yesterday's.
        indexes = (models.Index(fields=("created_at",), name="crm_firstanswer_age"),)

    def __str__(self) -> str:
        return f"{self.purpose} {self.key}"
