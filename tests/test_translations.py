"""Every text that a person reads is collected and translated, and what is translated can be used."""

from __future__ import annotations

import gettext
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

RUSSIAN = Path(django_settings.BASE_DIR) / "locale" / "ru" / "LC_MESSAGES" / "django.po"

TEMPLATES = Path(django_settings.BASE_DIR) / "templates"
# What stands in a template and is no text: markup, keys, class names, and what is translated already.
NO_TEXT = re.compile(
    r"\{#.*?#\}|\{% blocktranslate.*?endblocktranslate %\}|\{% block \w*class %\}.*?\{% endblock"
    r"|\{%.*?%\}|\{\{.*?\}\}|<kbd.*?</kbd>|<code.*?</code>|<style.*?</style>|&\w+;",
    re.DOTALL,
)
SPOKEN_ATTRIBUTE = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)"')
WORD = re.compile(r"(?<![\w/@.-])[A-Za-z]{2,}(?![\w/@.-])")

needs_gettext = pytest.mark.skipif(
    not all(map(shutil.which, ("xgettext", "msgmerge", "msguniq"))), reason="Django collects texts with GNU gettext."
)


def compiled(source: Path) -> gettext.GNUTranslations:
    """The catalog as `make setup` compiles it."""
    target = io.BytesIO()
    with source.open("rb") as file:
        write_mo(target, read_po(file, locale="ru", abort_invalid=True))
    target.seek(0)
    return gettext.GNUTranslations(target)


@needs_gettext
def test_every_text_is_collected_and_translated(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        call_command("check_translations")
    except CommandError as error:
        pytest.fail(f"{error}\n{capsys.readouterr().err}")


@needs_gettext
def test_each_kind_of_gap_is_found(tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = RUSSIAN.read_text()
    spoilt = re.sub(r'msgid "English"\nmsgstr ".*"\n\n', "", spoilt)
    spoilt = re.sub(r'(msgid "Russian"\nmsgstr) ".*"', r'\1 ""', spoilt)
    spoilt = re.sub(r'(msgid "My day"\n)', r"#, fuzzy\n\1", spoilt)
    spoilt = re.sub(r'(msgid "\{duration\} ago"\nmsgstr) ".*"', r'\1 "назад"', spoilt)
    spoilt = re.sub(r'(msgid_plural "%\(counter\)s calls"\n.*\n.*\n)msgstr\[2\].*\n', r"\1", spoilt)
    folder = tmp_path / "ru" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(spoilt)
    settings.LOCALE_PATHS = [tmp_path]

    with pytest.raises(CommandError):
        call_command("check_translations")

    faults = capsys.readouterr().err
    assert "'English' is not collected" in faults
    assert "'Russian' is not translated" in faults
    assert "'My day' is only a guess" in faults
    assert "'{duration} ago': 'назад' has other placeholders" in faults
    assert "'%(counter)s call' is not translated" in faults


ATTRIBUTE = re.compile(r"\b[\w-]+=\"[^\"]*\"")
"""One that stands in a block of its own, outside its tag."""
NAMES = {"Voronka", "English", "EN", "RU", "https"}
"""Ourselves, and languages as they call themselves; how an address begins."""


def untranslatable(template: str) -> set[str]:
    """The words that a template shows as they stand, in its text or in an attribute that is read out."""
    plain = NO_TEXT.sub(" ", template)
    shown = " ".join([re.sub(r"<[^<>]*>", " ", plain), *SPOKEN_ATTRIBUTE.findall(plain)])
    return set(WORD.findall(ATTRIBUTE.sub(" ", shown))) - NAMES


def test_templates_leave_no_word_out() -> None:
    paths = [path for path in sorted(TEMPLATES.rglob("*.*")) if TEMPLATES / "dev" not in path.parents]
    left_out = {path.name: untranslatable(path.read_text()) for path in paths}

    assert not {name: words for name, words in left_out.items() if words}


def test_a_word_that_was_left_out_is_found() -> None:
    template = '<p title="Close it">{% translate "Fine" %} {{ name }} left {# why #}<b class="x">out</b> · Voronka</p>'

    assert untranslatable(template) == {"Close", "it", "left", "out"}


@pytest.mark.parametrize("source", sorted(RUSSIAN.parents[2].glob("*/LC_MESSAGES/*.po")), ids=str)
def test_catalogs_compile(source: Path) -> None:
    assert compiled(source).info()["language"] == source.parts[-3]


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "звонок"), (2, "звонка"), (5, "звонков"), (11, "звонков"), (21, "звонок"), (112, "звонков")],
)
def test_russian_counts_in_three_forms(number: int, words: str) -> None:
    form = compiled(RUSSIAN).ngettext("%(counter)s call", "%(counter)s calls", number)

    assert form % {"counter": number} == f"{number} {words}"
