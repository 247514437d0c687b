"""The columns of the company list and of the contact list, and what a spreadsheet gets of each."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from pipeline.views.columns import Cell, Column, Table, local

BY_NAME = {"name": ("search", "pk")}
OF_DEALS = ("open_deals", "touched")
"""Columns that are read from the deals of the rows shown."""

_company = partial(Column, "pipeline/_company_cells.html")
_contact = partial(Column, "pipeline/_contact_cells.html")

COMPANIES = Table(
    "companies",
    (
        _company("name", _("Company"), ("name", "domain"), sort="name"),
        _company("industry", _("Industry"), ("industry",)),
        _company("country", _("Country"), ("country",)),
        _company("employees", _("Employees"), ("employees",), is_numeric=True),
        _company("open_deals", _("Open deals"), ("open_deals",), is_numeric=True),
        _company("touched", _("Last contact"), ("touched",)),
        _company("next", _("Next step"), ("next",)),
        _company("owner", _("Owner"), ("owner",)),
        _company("created", _("Created"), ("created",)),
    ),
    standard=("name", "industry", "country", "employees", "open_deals", "touched", "owner"),
)

CONTACTS = Table(
    "contacts",
    (
        _contact("name", _("Contact"), ("name", "position"), sort="name"),
        _contact("company", _("Company"), ("company",)),
        _contact("email", _("E-mail"), ("email",)),
        _contact("phone", _("Phone"), ("phone",)),
        _contact("open_deals", _("Open deals"), ("open_deals",), is_numeric=True),
        _contact("touched", _("Last contact"), ("touched",)),
        _contact("next", _("Next step"), ("next",)),
        _contact("owner", _("Owner"), ("owner",)),
        _contact("created", _("Created"), ("created",)),
    ),
    standard=("name", "company", "email", "phone", "open_deals", "touched", "owner"),
)

_OF_BOTH = {
    "open_deals": Cell(_("Open deals"), lambda row: row.open_deals),
    "touched": Cell(_("Last contact"), lambda row: local(row.touched_at)),
    "next": Cell(_("Next step"), lambda row: local(row.next_step_at)),
    "owner": Cell(_("Owner"), lambda row: str(row.owner or "")),
    "created": Cell(_("Created"), lambda row: local(row.created_at)),
}
COMPANY_CELLS = _OF_BOTH | {
    "name": Cell(_("Company"), lambda row: row.name),
    "domain": Cell(_("Domain"), lambda row: row.domain),
    "industry": Cell(_("Industry"), lambda row: row.industry),
    "country": Cell(_("Country"), lambda row: row.country),
    "employees": Cell(_("Employees"), lambda row: row.employees),
}
CONTACT_CELLS = _OF_BOTH | {
    "name": Cell(_("Contact"), lambda row: row.name),
    "position": Cell(_("Position"), lambda row: row.position),
    "company": Cell(_("Company"), lambda row: str(row.company or "")),
    "email": Cell(_("E-mail"), lambda row: row.email),
    "phone": Cell(_("Phone"), lambda row: row.phone),
}

WHOLE_COMPANY = ("name", "domain", "industry", "country", "employees", "owner")
WHOLE_CONTACT = ("name", "email", "phone", "company", "position", "owner")
"""What an export without columns gives: what an import of such records takes."""
