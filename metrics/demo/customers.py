"""The invented company's customers: organisations and the people in them."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from crm.models import Company, Contact
from metrics.demo import vocabulary as words
from metrics.demo.loading import Table
from metrics.demo.people import Rep


@dataclass(frozen=True, slots=True)
class Customer:
    """One organisation, and the ids of the people one talks to there."""

    company_id: int
    name: str
    contact_ids: list[int]
    rep: Rep


def invent_customers(rng: random.Random, *, count: int, reps: list[Rep], since: dt.datetime) -> list[Customer]:
    """Create `count` companies, each with one to three people."""
    companies = Table(Company, "name", "domain", "industry", "country", "employees", "owner", "created_at")
    contacts = Table(Contact, "name", "email", "phone", "position", "company", "owner", "created_at")
    customers = []
    for number in range(count):
        rep = rng.choice(reps)
        name, industry, country, domain = _organisation(rng, number, is_russian=rep.is_russian)
        company_id = companies.add(
            name, domain, industry, country, rng.choice((30, 80, 150, 400, 900)), rep.user.pk, since
        )
        people = []
        for _person in range(rng.choice((1, 1, 2, 2, 3))):
            person = invent_person(rng, is_russian=rep.is_russian)
            position = rng.choice(words.POSITIONS_RU if rep.is_russian else words.POSITIONS)
            email = f"person{len(contacts.rows) + 1}@{domain}"
            people.append(
                contacts.add(person, email, phone_of(2 * len(contacts.rows)), position, company_id, rep.user.pk, since)
            )
        customers.append(Customer(company_id, name, people, rep))
    companies.copy()
    contacts.copy()
    return customers


def invent_person(rng: random.Random, *, is_russian: bool) -> str:
    """Return a full name."""
    if is_russian:
        first = rng.choice(words.PEOPLE_CYRILLIC).split()[0]
        return rng.choice(words.PEOPLE_CYRILLIC) if rng.random() < 0.5 else f"{first} {rng.choice(words.LAST_CYRILLIC)}"
    return f"{rng.choice(words.FIRST_LATIN)} {rng.choice(words.LAST_LATIN)}"


def phone_of(number: int) -> str:
    """Return the phone of the person of that number, out of the ranges kept for fiction; "" once they are used up."""
    place, line = number % len(words.PHONES), number // len(words.PHONES)
    return f"{words.PHONES[place]}{line:03d}" if line < 1000 else ""


def _organisation(rng: random.Random, number: int, *, is_russian: bool) -> tuple[str, str, str, str]:
    domain = f"customer{number + 1}.example"
    if is_russian:
        base = f"{words.COMPANY_CYRILLIC[number % len(words.COMPANY_CYRILLIC)]}"
        round_ = number // len(words.COMPANY_CYRILLIC)
        name = rng.choice(words.FORMS_CYRILLIC).format(base if round_ == 0 else f"{base} {round_ + 1}")
        return name, "Food", "Россия", domain
    lap, place = divmod(number, len(words.COMPANY_LATIN))
    trade, industry = words.TRADE_LATIN[(place + lap) % len(words.TRADE_LATIN)]  # another trade with each lap
    round_ = lap // len(words.TRADE_LATIN)
    name = f"{words.COMPANY_LATIN[place]} {trade}"
    return (name if round_ == 0 else f"{name} {round_ + 1}"), industry, rng.choice(words.COUNTRIES_LATIN), domain
