"""Saved views: a name for the filters, order and tab that an address of the board or of a list asks for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.models.audit import audited
from crm.models.personal import holds_personal
from crm.models.sharing import Shared, SharedQuerySet


@holds_personal(searched=("name", "query"), strikes=("name", "query"), is_shared=True)
@audited(kind="saved_view")
class SavedView(Shared):
    """What a page is asked for, kept under a name; whoever opens it sees only what they may see anyway.

    `query` holds pairs of name and value, as they stand in the address.
    """

    class Page(models.TextChoices):
        """Which page it is of."""

        BOARD = "board", _("Board")
        DEALS = "deals", _("Deals")
        LEADS = "leads", _("Leads")
        COMPANIES = "companies", _("Companies")
        CONTACTS = "contacts", _("Contacts")

    name = models.CharField(_("name"), max_length=80)
    page = models.CharField(_("page"), max_length=10, choices=Page.choices)
    query = models.JSONField(_("filters"), default=list)

    objects = SharedQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "page", "name"),
                condition=Q(deleted_at=None),
                name="crm_savedview_name_once",
                violation_error_message=_("You have a view of this name already."),
            ),
        )
        # The menu of a page.
        indexes = (models.Index(fields=("page", "shared_with"), name="crm_savedview_menu"),)

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """What stands behind the page's path: the filters, and which view they are of."""
        asked = QueryDict(mutable=True)
        asked["saved"] = str(self.pk)
        for name, value in self.query:
            asked.appendlist(name, value)
        return f"?{asked.urlencode()}"


class OpensWith(models.Model):
    """The view that a person wants a page to open with."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=10, choices=SavedView.Page.choices)
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="opens")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "page"), name="crm_openswith_once"),)

    def __str__(self) -> str:
        return f"{self.page} {self.view_id}"
