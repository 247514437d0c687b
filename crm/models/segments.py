"""Segments: saved, named filters over leads or contacts. Always live, never a copied list."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlencode

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.models.audit import audited
from crm.models.personal import holds_personal
from crm.models.sharing import Shared, SharedQuerySet, Sharing


class SegmentQuerySet(SharedQuerySet):
    """Segments. What a segment finds is always asked for within what one may see."""

    def about(self, kind: str) -> Self:
        """Segments of leads, or of contacts."""
        return self.filter(about=kind)


@holds_personal(searched=("name", "conditions"), strikes=("name", "conditions"), is_shared=True)
@audited(kind="segment")
class Segment(Shared):
    """A named condition over leads or contacts; `conditions` is a tree that `crm.rules.segments` checks and reads."""

    class About(models.TextChoices):
        """Whom it finds."""

        LEAD = "lead", _("Leads")
        CONTACT = "contact", _("Contacts")

    Sharing = Sharing

    name = models.CharField(_("name"), max_length=120)
    about = models.CharField(_("of"), max_length=10, choices=About.choices, default=About.LEAD)
    conditions = models.JSONField(_("conditions"))
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "about", "name"),
                condition=Q(deleted_at=None),
                name="crm_segment_name_once",
                violation_error_message=_("You have a segment of this name already."),
            ),
        )
        # The choices of lists and rules.
        indexes = (models.Index(fields=("about", "shared_with"), name="crm_segment_choices"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The list of those it finds."""
        if self.about == self.About.CONTACT:
            return f"{reverse('contact_list')}?{urlencode({'segment': self.pk})}"
        return f"{reverse('lead_list')}?{urlencode({'view': 'all', 'segment': self.pk})}"
