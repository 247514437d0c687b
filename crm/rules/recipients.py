"""What is known of whom one writes to: who can be chosen, their country, language, and when their morning is."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from importlib import resources
from typing import Any

import holidays
import phonenumbers
from babel import Locale
from django.conf import settings

from crm.models import Activity, Company, Contact, Email, Lead, User, WorkingCalendar
from crm.models.phones import read_phone
from crm.rules.wall_clock import WallTime
from crm.rules.working_time import DAY, Span, WorkingHours, add_working_days, hours_of

MORNING = dt.time(9)
OFFICE: Span = (MORNING, dt.time(18))
MOST_PEOPLE = 50
"""So many people of a company are offered to write to."""
SILENT_AFTER = 3

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
SPEAK_RUSSIAN = frozenset({"RU", "BY", "KZ", "KG"})

MAIN_ZONES = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo",
    "CA": "America/Toronto", "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid", "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv",
    "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip
"""Of countries with several zones: that in which most of their business is done."""


def people_to_write_to(about: Any, *, by: User) -> list[Lead | Contact]:
    """Return whom a letter about a record may go to: the lead, or contacts that `by` sees, its own contact first."""
    if isinstance(about, Lead):
        return [about]
    if isinstance(about, Contact):
        return [about]
    company = about if isinstance(about, Company) else getattr(about, "company", None)
    own_id = getattr(about, "contact_id", None)
    seen = Contact.objects.visible_to(by).select_related("company")
    people: list[Lead | Contact] = list(seen.filter(pk=own_id)) if own_id else []
    if company is not None:
        people += seen.filter(company=company).exclude(pk=own_id).exclude(email="")[:MOST_PEOPLE]
    lead_id = getattr(about, "lead_id", None)
    if not people and lead_id:
        people += Lead.objects.visible_to(by).filter(pk=lead_id)
    return people


def letters_unanswered(address: str, *, seen_by: User) -> int:
    """Return how many of our last letters to the address got no answer since; a person's, not a machine's.

    Those of other teams do not count: who else writes to a customer is theirs to know.
    """
    if not address:
        return 0
    ours = Email.objects.visible_to(seen_by).outbound()
    sent = ours.filter(to_address__iexact=address, at__isnull=False).order_by("-at")
    answers = Email.objects.inbound().filter(from_address__iexact=address, nature=Email.Nature.PERSON)
    last = answers.order_by("-at").values_list("at", flat=True).first()
    rows = list(sent.values_list("at", "subject_type_id", "subject_id")[: SILENT_AFTER + 1])
    if not rows:
        return 0
    _at, kind, pk = rows[0]
    touches = Activity.objects.present().touches().filter(subject_type_id=kind, subject_id=pk)
    heard = touches.filter(direction=Activity.Direction.IN).order_by("-at").values_list("at", flat=True).first()
    since = max(filter(None, (last, heard)), default=None)
    return sum(since is None or at > since for at, _kind, _pk in rows if at is not None)


def language_of(person: Lead | Contact) -> str:
    """Return the language to offer a letter in: Russian where name, country or address say so, else English."""
    is_russian = bool(CYRILLIC.search(person.name)) or country_of(person) in SPEAK_RUSSIAN
    top_domain = person.email.rpartition(".")[2].lower()
    return "ru" if is_russian or top_domain in {"ru", "рф", "xn--p1ai", "by", "su"} else "en"


def country_of(person: Lead | Contact) -> str:
    """Return the country (two letters) that their phone's code or their company's country names; "" if neither."""
    phone = read_phone(person.phone) if person.phone else None
    if phone is not None and phone.e164.startswith("+"):
        region = phonenumbers.region_code_for_number(phonenumbers.parse(phone.e164))
        if region and region != "001":
            return str(region)
    company = person.company
    return _countries().get(company.country.strip().lower(), "") if company and company.country else ""


def morning_of(person: Lead | Contact, *, now: dt.datetime) -> dt.datetime:
    """Return nine o'clock where the person is, on the next day on which people there work; raises NobodyWorks."""
    hours = _hours_where(person)
    local = WallTime.of(now, hours.zone).local
    day = local.date() if local.time() < MORNING else local.date() + DAY
    return WallTime(dt.datetime.combine(add_working_days(hours, day, 0), MORNING), hours.zone).utc


def _hours_where(person: Lead | Contact) -> WorkingHours:
    """Monday to Friday and the holidays of their country; the organisation's own days where nothing is known."""
    country = country_of(person)
    zone = _main_zone(country)
    if not zone:
        calendar = WorkingCalendar.objects.of_organisation()
        return hours_of(calendar)
    known = country if country in holidays.list_supported_countries(include_aliases=False) else ""
    return WorkingHours(zone=zone, week=((OFFICE,),) * 5 + ((),) * 2, country=known)


def _main_zone(country: str) -> str:
    zones = _zones().get(country, [])
    if settings.TIME_ZONE in zones:
        return settings.TIME_ZONE
    return MAIN_ZONES.get(country, zones[0] if zones else "")


@cache
def _zones() -> dict[str, list[str]]:
    """The IANA zones of each country, from the time zone database's own table."""
    zones: dict[str, list[str]] = {}
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _place, zone = line.split("\t")[:3]
            zones.setdefault(country, []).append(zone)
    return zones


@cache
def _countries() -> dict[str, str]:
    """Codes of countries by their code, and by their names in our languages, in lower case."""
    found: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        territories = Locale(language).territories
        found |= {name.lower(): code for code, name in territories.items() if len(code) == 2 and code.isalpha()}
    return found | {code.lower(): code for code in found.values()}
