"""Who and what rows refer to by name: owners, companies, contacts, sources. Found, or made where that is allowed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar

from django.db.models import Model
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from crm.models import Bilingual, Campaign, Company, Contact, ImportRow, Lead, LeadSource, OwnedQuerySet, User, folded
from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.snapshots import plain
from crm.rules.records.survivors import led_on

BilingualModel = TypeVar("BilingualModel", bound=Bilingual)
Rows = TypeVar("Rows", bound=OwnedQuerySet)

PLACEHOLDER_DOMAIN = "imported.invalid"
"""Of addresses made up for owners known by name alone; RFC 2606 keeps mail from ever going there."""

LONGEST_CAMPAIGN = 120

WARNINGS = {
    "owners_made": ngettext_lazy(
        "%(count)d owner was unknown and made, inactive.",
        "%(count)d owners were unknown and made, inactive.",
        "count",
    ),
    "companies_made": ngettext_lazy(
        "%(count)d company was unknown and made.", "%(count)d companies were unknown and made.", "count"
    ),
    "companies_unknown": ngettext_lazy(
        "%(count)d row names a company by an id that nobody here has; bring the companies in, then this file again.",
        "%(count)d rows name a company by an id that nobody here has; bring the companies in, then this file again.",
        "count",
    ),
    "contacts_made": ngettext_lazy(
        "%(count)d contact was unknown and made.", "%(count)d contacts were unknown and made.", "count"
    ),
    "sources_made": ngettext_lazy(
        "%(count)d source was unknown and made.", "%(count)d sources were unknown and made.", "count"
    ),
    "campaigns_made": ngettext_lazy(
        "%(count)d campaign was unknown and made.", "%(count)d campaigns were unknown and made.", "count"
    ),
    "reasons_made": ngettext_lazy(
        "%(count)d reason was unknown and made.", "%(count)d reasons were unknown and made.", "count"
    ),
}


def name_key(text: str) -> str:
    """A name as it is compared: in lower case, ё as е, white space made single."""
    return " ".join(folded(text).split())


class References:
    """Finds what rows refer to; what it makes is saved by `save_made` with the step that first needs it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._made: list[tuple[Model, int]] = []
        self._listed: dict[type[Bilingual], dict[str, Bilingual]] = {}
        self._contacts_made: dict[tuple[int, str], list[Contact]] = {}

    def save_made(self) -> None:
        """Insert what was made since the last step, and record it so that it can be taken back."""
        by_model: dict[type[Model], list[tuple[Model, int]]] = defaultdict(list)
        for record, line in self._made:
            by_model[type(record)].append((record, line))
        # Contacts refer to companies, campaigns to sources.
        for model in sorted(by_model, key=lambda model: model in {Contact, Campaign}):
            records = by_model[model]
            model._default_manager.bulk_create([record for record, _line in records])
            ImportRow.objects.bulk_create(
                ImportRow(
                    run=self._context.run,
                    line=line,
                    model=model._meta.label_lower,
                    record_id=record.pk,
                    after=_identity(record),
                )
                for record, line in records
            )
        self._made.clear()

    def _make(self, record: Model, entry: Entry, warning: str) -> None:
        if self._context.run:
            self._made.append((record, entry.line))
        self._context.warn(warning)

    def reachable(self, rows: Rows) -> Rows:
        """Of present rows, those that a row may mean: those the person who imports may see."""
        reach = self._context.options.reach
        return rows if reach is None else rows.visible_to(reach)

    # --- Owners ---

    def owner(self, entry: Entry, column: str = "owner") -> User | None:
        """The person an owner cell names by e-mail or full name; None where it is empty.

        Raises RowRefused for one nobody knows, unless owners are to be made.
        """
        text: str | None = entry[column]
        if not text:
            return None
        found = self._people.get(text.lower() if "@" in text else name_key(text), [])
        if len(found) > 1:
            raise RowRefused(column, _("Several people have this name; give an e-mail address."))
        if found:
            return self._within_reach(found[0], column)
        if self._context.options.reach:
            raise RowRefused(column, _("Nobody here has this name or e-mail. Say among the questions who is meant."))
        if not self._context.options.creates_owners:
            raise RowRefused(
                column,
                _("Nobody here has this name or e-mail. Import with --create-owners, or name somebody who is here."),
            )
        return self._make_owner(text, entry)

    def _within_reach(self, owner: User, column: str) -> User:
        """The owner, where the person who imports may give them records."""
        reach = self._context.options.reach
        if reach is None or reach.editable_owner_ids is None or owner.pk in reach.editable_owner_ids:
            return owner
        if len(reach.editable_owner_ids) == 1:
            raise RowRefused(column, _("You can import records for yourself only; this one belongs to somebody else."))
        raise RowRefused(column, _("You can import records for people of your teams only."))

    @cached_property
    def _people(self) -> dict[str, list[User]]:
        people: dict[str, list[User]] = defaultdict(list)
        for user in User.objects.all():
            people[user.email.lower()].append(user)
            people[name_key(user.name)].append(user)
        return people

    def _make_owner(self, text: str, entry: Entry) -> User:
        is_address = "@" in text
        name = text.split("@", maxsplit=1)[0] if is_address else " ".join(text.split())
        user = User(email=text.lower() if is_address else self._made_up_address(name), name=name[:150], is_active=False)
        user.set_unusable_password()
        self._people[user.email].append(user)
        self._people[name_key(user.name)].append(user)
        self._make(user, entry, "owners_made")
        return user

    def _made_up_address(self, name: str) -> str:
        base = slugify(name).replace("-", ".")[:50] or hashlib.sha256(name.encode()).hexdigest()[:12]
        number, address = 1, f"{base}@{PLACEHOLDER_DOMAIN}"
        while address in self._people:
            number += 1
            address = f"{base}.{number}@{PLACEHOLDER_DOMAIN}"
        return address

    # --- Companies and contacts ---

    def company(self, entry: Entry, column: str = "company") -> Company | None:
        """The company that a cell names or gives the external id of, made where unknown; None where it is empty.

        The first known one of `company_id` goes before the name, which several may have.
        """
        ids = [part.strip() for part in (entry["company_id"] or "").split(";")]
        if known := next((self._company_ids[key][0] for key in ids if key in self._company_ids), None):
            return known
        text: str | None = entry[column]
        if not text:
            if any(ids):
                self._context.warn("companies_unknown")
            return None
        found = self._companies.get(name_key(text), []) or self._company_ids.get(text, [])
        if len(found) > 1:
            raise RowRefused(column, _("Several companies have this name; give the company's external id."))
        if found:
            return found[0]
        company = Company(name=" ".join(text.split()))
        self._companies[name_key(text)] = [company]
        self._make(company, entry, "companies_made")
        return company

    def companies_named(self, name: str) -> list[Company]:
        """The companies of a name (as `name_key` gives it), with their keys, names and owners alone."""
        return self._companies.get(name, [])

    @cached_property
    def _known_companies(self) -> list[Company]:
        companies = self.reachable(Company.objects.present())
        columns = companies.values_list("pk", "name", "external_id", "owner_id")
        return [Company(pk=pk, name=name, external_id=key, owner_id=owner) for pk, name, key, owner in columns]

    @cached_property
    def _companies(self) -> dict[str, list[Company]]:
        companies: dict[str, list[Company]] = defaultdict(list)
        for company in self._known_companies:
            companies[name_key(company.name)].append(company)
        return companies

    @cached_property
    def _company_ids(self) -> dict[str, list[Company]]:
        merged = Company.objects.filter(merged_into__isnull=False).exclude(external_id=None)
        ends = led_on(merged.only("pk", "external_id", "merged_into"), Company.objects.all())
        here = {company.pk: company for company in self._known_companies}
        led = ((row, ends[row.pk].pk) for row in merged if row.pk in ends)
        ids = {row.external_id: [here[pk]] for row, pk in led if pk in here}
        return ids | {company.external_id: [company] for company in here.values() if company.external_id}

    def leads_with(self, keys: Iterable[str]) -> dict[str, Lead]:
        """The leads that have these external ids, or into which those that have them were merged."""
        present = self.reachable(Lead.objects.present()).select_related("source", "campaign__source")
        holders = list(Lead.objects.filter(external_id__in=list(keys)).order_by("pk"))
        ends = led_on(holders, present)
        seen = present.in_bulk([end.pk for end in ends.values()])
        led = ((row, ends[row.pk].pk) for row in holders if row.pk in ends)
        return {str(row.external_id): seen[pk] for row, pk in led if pk in seen}

    def contact(self, entry: Entry, company: Company | None, owner: User | None) -> Contact | None:
        """The contact with the e-mail in `contact_email`, or else the one so named at the company; made where unknown.

        None where the row has neither. Raises RowRefused where several are meant.
        """
        address, name = entry["contact_email"], " ".join((entry["contact_name"] or "").split())
        if not address and not name:
            return None
        here = (id(company), name_key(name))  # one made on the way has no key before its step is written
        if address:
            known = [self._contacts[address]] if address in self._contacts else []
        else:
            known = self._contacts_made.get(here) or self._contacts_named.get(
                (company.pk if company else None, here[1]), []
            )
        if len(known) > 1:
            raise RowRefused("contact_name", _("Several contacts have this name; give the contact’s e-mail."))
        if known:
            return known[0]
        fields = {"name": name or address, "email": address or "", "phone": entry["contact_phone"] or ""}
        contact = Contact(**fields, company=company, owner=owner)
        if address:
            self._contacts[address] = contact
        self._contacts_made[here] = [contact]
        self._make(contact, entry, "contacts_made")
        return contact

    @cached_property
    def _contacts(self) -> dict[str, Contact]:
        rows = self.reachable(Contact.objects.present()).exclude(email="").order_by("-pk").values_list("pk", "email")
        return {address.lower(): Contact(pk=pk, email=address) for pk, address in rows}

    @cached_property
    def _contacts_named(self) -> dict[tuple[int | None, str], list[Contact]]:
        """Contacts by company and name."""
        named: dict[tuple[int | None, str], list[Contact]] = defaultdict(list)
        for pk, company, name in self.reachable(Contact.objects.present()).values_list("pk", "company_id", "name"):
            named[company, name_key(name)].append(Contact(pk=pk, name=name, company_id=company))
        return named

    # --- Short lists ---

    def source(self, entry: Entry, column: str = "source") -> LeadSource | None:
        """The lead source that a cell names, made where it is unknown; None where it is empty."""
        text: str | None = entry[column]
        if not text:
            return None
        found = self._list(LeadSource).get(name_key(text))
        if found is None:
            slug = slugify(text)[:40]
            taken = {source.slug for source in self._list(LeadSource).values() if isinstance(source, LeadSource)}
            if not slug or slug in taken:
                slug = f"{slug or 'source'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
            found = LeadSource(name=text, slug=slug)
            self._list(LeadSource)[name_key(text)] = found
            self._make(found, entry, "sources_made")
        assert isinstance(found, LeadSource)
        return found

    def source_with(self, key: int | None) -> LeadSource | None:
        """The source that has this key."""
        sources = self._list(LeadSource).values() if key else ()
        return next((row for row in sources if isinstance(row, LeadSource) and row.pk == key), None)

    def campaign(self, entry: Entry, source: LeadSource | None, column: str = "campaign") -> Campaign | None:
        """The campaign that a cell names within `source`, made where it is unknown; None where it is empty.

        Without a source the campaign must be known: it says which. One that another source has too bears its source in
        its name. Raises RowRefused.
        """
        text: str | None = entry[column]
        if not text:
            return None
        if source is None:
            return self._campaign_alone(text, column)
        apart = f"{text} · {source.name}"[:LONGEST_CAMPAIGN]
        named = [self._campaigns.get(name_key(name)) for name in (text, apart)]
        if found := next((one for one in named if one and one.source.slug == source.slug), None):
            return found
        free = next((name for name, taken in zip((text, apart), named, strict=True) if taken is None), None)
        if free is None:
            raise RowRefused(column, _("Another source has a campaign of this name; give it another one."))
        campaign = Campaign(name=free, source=source)
        self._campaigns[name_key(free)] = campaign
        self._make(campaign, entry, "campaigns_made")
        return campaign

    def _campaign_alone(self, text: str, column: str) -> Campaign:
        if found := self._campaigns.get(name_key(text)):
            return found
        raise RowRefused(column, _("A campaign runs within a source, and nobody here knows this one: name its source."))

    @cached_property
    def _campaigns(self) -> dict[str, Campaign]:
        return {name_key(campaign.name): campaign for campaign in Campaign.objects.select_related("source")}

    def reason(self, model: type[BilingualModel], entry: Entry, column: str) -> BilingualModel | None:
        """The reason of `model` that a cell names, made where it is unknown; None where it is empty."""
        text: str | None = entry[column]
        if not text:
            return None
        found = self._list(model).get(name_key(text))
        if found is None:
            found = model(name=text)
            self._list(model)[name_key(text)] = found
            self._make(found, entry, "reasons_made")
        assert isinstance(found, model)
        return found

    def _list(self, model: type[Bilingual]) -> dict[str, Bilingual]:
        """Every row of a short list by its slug and its names in both languages."""
        if model not in self._listed:
            listed: dict[str, Bilingual] = {}
            for row in model._default_manager.all():
                for name in (getattr(row, "slug", ""), row.name, row.name_ru):
                    listed.setdefault(name_key(name), row)
            listed.pop("", None)
            self._listed[model] = listed
        return self._listed[model]


def _identity(record: Model) -> dict[str, object]:
    """The fields by which one sees that a record made on the way was not touched since."""
    names = [name for name in ("name", "email", "is_active") if hasattr(record, name)]
    return {name: plain(getattr(record, name)) for name in names}
