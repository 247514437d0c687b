"""`manage.py check_translations`: every text is collected and translated; CI runs it."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.test.utils import override_settings

# What must be filled in at run time and so stand in both languages: %(name)s, %s, {name}.
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
IGNORED_FOLDERS = ("node_modules", ".venv", "var", ".git", "tests", "bench")


class Command(BaseCommand):
    """Compares the collected texts with what the code says now, and looks for gaps."""

    help = "Fail when a text is not collected, not translated, fuzzy or has lost a placeholder (needs gettext)."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Name every fault, then fail if there was one."""
        faults = [fault for language in _translated_languages() for fault in _faults(language)]
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} texts are not in order. `make messages` collects new ones.")
        self.stdout.write("Every text is collected and translated.")


def _translated_languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def _faults(language: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        _collect_in_copy(Path(folder) / "copy", language)
        for file in sorted(Path(folder, "copy", "locale", language, "LC_MESSAGES").glob("*.po")):
            present = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / file.name
            known = _catalog(present, language) if present.exists() else Catalog()
            for wanted in _catalog(file, language):
                if wanted.id:
                    yield from _faults_of(wanted, known.get(wanted.id, wanted.context), f"{language}/{file.name}")


def _collect_in_copy(copy: Path, language: str) -> None:
    """Collect the texts as `make messages` does, in a copy of the sources, as the command writes where it reads."""
    shutil.copytree(settings.BASE_DIR, copy, ignore=shutil.ignore_patterns(*IGNORED_FOLDERS))
    (copy / "locale" / language / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(copy), override_settings(LOCALE_PATHS=[]):
        for domain in ("django", "djangojs"):
            call_command(
                "makemessages", locale=[language], domain=domain, no_obsolete=True, no_location=True, verbosity=0
            )


def _catalog(file: Path, language: str) -> Catalog:
    with file.open("rb") as source:
        return read_po(source, locale=language)


def _faults_of(wanted: Message, known: Message | None, place: str) -> Iterator[str]:
    source = wanted.id if isinstance(wanted.id, tuple | list) else (wanted.id,)
    name = f"{place}: {source[0]!r}"
    if known is None:
        yield f"{name} is not collected"
        return
    translations = known.string if isinstance(known.string, tuple | list) else (known.string,)
    if known.fuzzy:
        yield f"{name} is only a guess (fuzzy)"
    if not all(translations):
        yield f"{name} is not translated"
    expected = set(_PLACEHOLDER.findall(source[-1]))
    for translation in filter(None, translations):
        # A plural form may leave the number out ("one deal"), but must not invent a name.
        if set(_PLACEHOLDER.findall(translation)) - expected or (
            len(source) == 1 and expected - set(_PLACEHOLDER.findall(translation))
        ):
            yield f"{name}: {translation!r} has other placeholders"
