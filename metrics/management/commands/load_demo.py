"""Loads the invented company: `manage.py load_demo [--deals N] [--seed S] [--as-of DATE]`."""

from __future__ import annotations

import argparse
import datetime as dt
import random
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from crm.models import User
from crm.rules.audit import acting, coming_through
from crm.rules.reminders import remind_of_loaded
from metrics.demo.customers import invent_customers
from metrics.demo.money import invent_money
from metrics.demo.office import furnish
from metrics.demo.people import PASSWORD, invent_cast
from metrics.demo.selling import SPAN, Selling


class Command(BaseCommand):
    """Two years of a believable company in one transaction: all or nothing, the same for the same seed and day."""

    help = "Load demo data: people, leads, deals with histories, contracts, spend, touches and follow-ups."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--deals", type=int, default=1_500, help="how many deals to invent (default 1500)")
        parser.add_argument("--seed", type=int, default=7, help="another number, another company (default 7)")
        parser.add_argument(
            "--as-of", type=dt.date.fromisoformat, help="the day that counts as today, YYYY-MM-DD (default: today)"
        )
        parser.add_argument("--if-empty", action="store_true", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["deals"] < 1:
            raise CommandError("--deals must be at least 1.")
        if User.objects.filter(email="rep@demo.test").exists():
            if options["if_empty"]:
                return
            raise CommandError("The demo company is already here. Start from an empty database to load another.")
        started = time.monotonic()
        now = self._now(options["as_of"])
        with coming_through("demo"), acting(None):
            counts = _invent(random.Random(options["seed"]), deals=options["deals"], now=now)  # noqa: S311 (a demo)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        said = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        self.stdout.write(f"Loaded {said} in {time.monotonic() - started:.1f} s.")
        self.stdout.write(
            f"Logins: rep@demo.test, manager@demo.test, admin@demo.test, viewer@demo.test; password {PASSWORD}"
        )

    @staticmethod
    def _now(as_of: dt.date | None) -> dt.datetime:
        if as_of is None:
            return timezone.now().replace(second=0, microsecond=0)
        return dt.datetime.combine(as_of, dt.time(12), tzinfo=dt.UTC)


def _invent(rng: random.Random, *, deals: int, now: dt.datetime) -> dict[str, int]:
    cast = invent_cast(rng, today=now.date())
    customers = invent_customers(rng, count=max(60, deals // 6), reps=cast.reps, since=now - SPAN)
    invent_money(rng, cast=cast, today=now.date())
    selling = Selling(rng=rng, cast=cast, customers=customers, now=now)
    selling.invent(deals)
    counts = selling.copy()
    furnish(cast, now=now)
    remind_of_loaded(now=now)
    return counts
