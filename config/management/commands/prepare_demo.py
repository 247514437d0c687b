"""`manage.py prepare_demo`: everything that must be there before the demo's processes start."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Migrates, collects static files, loads the demo data; skips what is there."""

    help = "Migrate, collect static files and, on the first run, load the demo data."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Prepare; a run that was killed half-way is made good by the next."""
        if not settings.IS_DEMO:
            raise CommandError("prepare_demo is for VORONKA_ENV=demo: its logins have a known password.")
        call_command("migrate", interactive=False, verbosity=0)
        self._collect_static_files()
        # One transaction, logins included: killed half-way it leaves nothing, and the next start loads again.
        call_command("load_demo", if_empty=True)

    def _collect_static_files(self) -> None:
        stamp = Path(settings.STATIC_ROOT) / ".stamp"
        wanted = _fingerprint(
            [settings.BASE_DIR / "static", settings.ASSETS_DIR, settings.BASE_DIR / "package-lock.json"]
        )
        if not stamp.exists() or stamp.read_text() != wanted:
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            stamp.write_text(wanted)


def _fingerprint(sources: list[Path]) -> str:
    """Names, sizes and times of all files below: quick, and different whenever one was written."""
    files = [file for source in sources for file in ([source] if source.is_file() else sorted(source.rglob("*")))]
    states = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()
