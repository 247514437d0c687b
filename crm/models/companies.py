"""Organisations and people."""

from __future__ import annotations

import datetime as dt

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from crm.models.access import Erasable
from crm.models.accounts import User
from crm.models.audit import audited
from crm.models.keys import KEYS, CompanyKey, DomainKey, PersonKey, PhoneKey, email_key, key_column, key_index
from crm.models.mergeable import Mergeable, MergeableQuerySet, checked_for_duplicates, merged_index, merged_is_gone
from crm.models.personal import holds_personal
from crm.models.subjects import Subject
from crm.models.text import search_column
from crm.models.versions import Versioned, raises_version


class CustomerQuerySet(MergeableQuerySet):
    """Companies and contacts; one that is nobody's (brought in from a file) is everybody's."""

    def _reach(self, user: User, owner_ids: frozenset[int] | None) -> Q:
        """Also those without an owner."""
        return Q() if owner_ids is None else super()._reach(user, owner_ids) | Q(owner__isnull=True)


class Seen:
    """A row of CustomerQuerySet, asked without a query: for what another record names."""

    owner_id: int | None
    deleted_at: dt.datetime | None

    def is_seen_by(self, user: User) -> bool:
        """Whether `visible_to` finds it."""
        ids = user.visible_owner_ids
        return self.deleted_at is None and (ids is None or self.owner_id is None or self.owner_id in ids)


@audited(kind="company", ignore=KEYS)
@pgtrigger.register(
    raises_version("name", "domain", "industry", "country", "employees", "owner", "deleted_at"),
)
class Company(Seen, Subject, Mergeable, Versioned):
    """An organisation one sells to."""

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=100, unique=True, null=True, blank=True)
    domain = models.CharField(_("domain"), max_length=200, blank=True)
    industry = models.CharField(_("industry"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=120, blank=True)
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    search = search_column("name", "domain", names=("name",))
    name_key = key_column(CompanyKey("name"))
    domain_key = key_column(DomainKey("domain"))

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        ordering = ("search", "pk")
        indexes = (
            # The text filter of the company list and the choosers.
            GinIndex(fields=("search",), name="crm_company_search", opclasses=("gin_trgm_ops",)),
            # The company list in the order of names.
            models.Index(fields=("search", "id"), name="crm_company_by_name"),
            # Whether a company is there already.
            key_index("company", "name_key"),
            key_index("company", "domain_key"),
            merged_index("company"),
        )
        constraints = (merged_is_gone("company"),)
        triggers = (checked_for_duplicates("company", "name", "domain"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The company's page."""
        return reverse("company_detail", args=[self.pk])


@holds_personal(blanks=("name", "external_id", "email", "phone", "position"))
@audited(kind="contact", ignore=KEYS)
@pgtrigger.register(
    raises_version("name", "email", "phone", "position", "company", "owner", "deleted_at"),
)
class Contact(Seen, Subject, Mergeable, Erasable, Versioned):
    """A person one talks to, of a company or on their own."""

    name = models.CharField(pgettext_lazy("person", "name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=100, unique=True, null=True, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    position = models.CharField(pgettext_lazy("person", "position"), max_length=120, blank=True)
    company = models.ForeignKey(
        Company, models.PROTECT, null=True, blank=True, related_name="contacts", verbose_name=_("company")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    search = search_column("name", "email", "phone", names=("name",), phone="phone")
    name_key = key_column(PersonKey("name"))
    email_key = key_column(email_key("email"))
    phone_key = key_column(PhoneKey("phone"))

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ("search", "pk")
        indexes = (
            # The text filter of the contact list and the choosers.
            GinIndex(fields=("search",), name="crm_contact_search", opclasses=("gin_trgm_ops",)),
            # The contact list in the order of names.
            models.Index(fields=("search", "id"), name="crm_contact_by_name"),
            # Whether a person is there already.
            key_index("contact", "name_key"),
            key_index("contact", "email_key"),
            key_index("contact", "phone_key"),
            merged_index("contact"),
        )
        constraints = (merged_is_gone("contact"),)
        triggers = (checked_for_duplicates("contact", "name", "email", "phone", "company_id"),)

    def __str__(self) -> str:
        return self.name if self.erased_at is None else gettext("Erased person")

    def get_absolute_url(self) -> str:
        """The contact's page."""
        return reverse("contact_detail", args=[self.pk])
