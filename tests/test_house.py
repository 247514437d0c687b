"""The house rules that a machine can check; docs and reviews keep the others.

A rule about texts is a function from a text to its offences, so that a wrong sample shows that the rule bites.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 400
APPS = ("crm", "pipeline", "metrics")  # each may use those to its left
MAY_MARK_SAFE: frozenset[str] = frozenset({"crm/rules/mail_html.py"})
"""The one module that may call mark_safe: what it marks it has just cleaned."""

Rule = Callable[[str], list[str]]


@cache
def files(*patterns: str) -> tuple[Path, ...]:
    """Files of the project that match, be they committed or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return tuple(path for name in sorted(set(listed)) if name and (path := ROOT / name).is_file())


def offences(paths: tuple[Path, ...], rule: Rule) -> list[str]:
    """Apply `rule` to each file."""
    assert paths, "nothing to check: the pattern matches no file"
    return [f"{path.relative_to(ROOT)}: {found}" for path in paths for found in rule(path.read_text("utf-8"))]


# --- Imports and migrations -------------------------------------------------------------------------------------------


def test_imports_run_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(is_debug_mode=False, no_cache=True) == 0


def imported(python: str) -> set[str]:
    """The packages a module imports when it runs, by their first name."""
    tree = ast.parse(python)
    unseen = {
        id(part)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for statement in branch.body
        for part in ast.walk(statement)
    }
    found: set[str] = set()
    for part in ast.walk(tree):
        if isinstance(part, ast.Import) and id(part) not in unseen:
            found |= {name.name.split(".")[0] for name in part.names}
        elif isinstance(part, ast.ImportFrom) and part.module and not part.level and id(part) not in unseen:
            found.add(part.module.split(".")[0])
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_the_product_imports_is_what_it_installs() -> None:
    """A package that only the tests install is there on every developer's machine, and missing in production."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = {canonical(name) for name in re.findall(r"^([\w.-]+)(?:\[[^]]*])?==", lock, re.MULTILINE)}
    packages, own = packages_distributions(), {*APPS, "config"}

    def missing(python: str) -> list[str]:
        others = imported(python) - own - set(sys.stdlib_module_names)
        return [name for name in others if not {canonical(each) for each in packages.get(name, ())} & locked]

    assert missing("import pytest\nif TYPE_CHECKING:\n    import mypy\nfrom django import db") == ["pytest"]
    assert not offences(files("crm/*.py", "pipeline/*.py", "metrics/*.py", "config/*.py", "manage.py"), missing)


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)  # exits where one is


# --- Templates --------------------------------------------------------------------------------------------------------

SCRIPT = re.compile(r"<script\b(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL | re.IGNORECASE)
INLINE = re.compile(r"<style\b|\sstyle\s*=|\shx-on[:\-=]|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE)
UNESCAPED = re.compile(r"\|\s*safe(?:seq)?\b|\{%\s*autoescape\s+off")
URL = re.compile(r"\{%\s*url\s+[\"']([^\"']+)[\"'](?![^%]*\sas\s)")  # `as` asks whether there is such an address


def inline_code(template: str) -> list[str]:
    """Scripts, styles and handlers that the content security policy would refuse."""
    scripts = [found.group(0)[:60] for found in SCRIPT.finditer(template) if "src=" not in found["attributes"]]
    return scripts + [found.group(0).strip() for found in INLINE.finditer(template)]


def unescaped(template: str) -> list[str]:
    """Places where a text would reach the page as it is."""
    return UNESCAPED.findall(template)


def test_templates_hold_no_code() -> None:
    pages = tuple(path for path in files("templates/*.html") if "emails" not in path.parts)  # mail has no other styles
    assert offences(pages, inline_code) == []


def test_templates_escape_everything() -> None:
    assert offences(files("templates/*.html"), unescaped) == []


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (inline_code, "<script>go()</script>"),
        (inline_code, '<script type="module">\ngo()</script>'),
        (inline_code, '<p style="color: red">'),
        (inline_code, '<p\n   style = "color: red">'),
        (inline_code, "<style>p {}</style>"),
        (inline_code, '<a onclick="go()">'),
        (inline_code, '<a hx-on:click="go()">'),
        (inline_code, '<a href="javascript:go()">'),
        (unescaped, "{{ name|safe }}"),
        (unescaped, "{{ name | safe }}"),
        (unescaped, "{% autoescape off %}"),
    ],
)
def test_a_wrong_template_is_noticed(rule: Rule, wrong: str) -> None:
    assert rule(wrong)


def names_in(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, str]]:
    """Every name that a template may give to {% url %}, with the app that answers there."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from names_in(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{namespace}{pattern.name}", pattern.callback.__module__.split(".")[0]


def test_addresses_in_templates_exist() -> None:
    known = dict(names_in(get_resolver()))
    known |= dict.fromkeys(("dev_mails", "dev_mail", "dev_mail_html", "dev_pieces", "dev_sample"), "crm")  # demo only
    assert offences(files("templates/*"), lambda text: [name for name in URL.findall(text) if name not in known]) == []


@pytest.mark.parametrize("app", APPS[:-1])
def test_templates_name_no_address_of_a_higher_app(app: str) -> None:
    apps = dict(names_in(get_resolver()))
    higher = APPS[APPS.index(app) + 1 :]
    pages = files(f"templates/{app}/*")
    assert offences(pages, lambda text: [name for name in URL.findall(text) if apps.get(name) in higher]) == []


# --- Style ------------------------------------------------------------------------------------------------------------

CLASS = re.compile(r"\.(-?[a-z_][\w-]*)", re.IGNORECASE)
ASIDE = re.compile(r"/\*.*?\*/|url\([^)]*\)|\"[^\"]*\"", re.DOTALL)
OF_OTHERS = re.compile(r"(ts|ec|ql|htmx|stage)-|(ec|multi|highlight|has-items|input-active)$")
"""Classes that libraries write (and stages, by their colour's name): no text of ours holds the whole word."""


def unused_classes(css: str, words: frozenset[str]) -> list[str]:
    """Classes that a sheet has rules for and no text names; a state (`is-late`) may be put together."""
    found = dict.fromkeys(CLASS.findall(ASIDE.sub("", css)))
    return [name for name in found if not OF_OTHERS.match(name) and not {name, name.removeprefix("is-")} & words]


def test_rules_of_style_are_for_something() -> None:
    texts = files("templates/*.html", "static/js/*.js", "crm/*.py", "pipeline/*.py", "metrics/*.py", "config/*.py")
    words = frozenset(word for path in texts for word in re.findall(r"[\w-]+", path.read_text("utf-8")))
    sheets = tuple(path for path in files("static/css/*.css") if path.name != "admin.css")  # Django's own pages
    assert offences(sheets, lambda css: unused_classes(css, words)) == []
    assert unused_classes(".chip, .chip-gone:not(.is-late, .is-gone) {}", frozenset({"chip", "late"})) == [
        "chip-gone",
        "is-gone",
    ]


# --- Python -----------------------------------------------------------------------------------------------------------


def test_mark_safe_lives_in_one_module() -> None:
    ours = tuple(path for app in ("config", *APPS) for path in files(f"{app}/*.py"))
    elsewhere = tuple(path for path in ours if str(path.relative_to(ROOT)) not in MAY_MARK_SAFE)
    assert offences(elsewhere, re.compile(r"\bmark_safe\b|\bSafeString\(").findall) == []


def test_files_are_short() -> None:
    written = tuple(path for path in files("*.py") if "migrations" not in path.parts)

    def too_long(text: str) -> list[str]:
        return [f"{text.count(chr(10))} lines"] if text.count("\n") >= LONGEST_FILE else []

    assert too_long("\n" * LONGEST_FILE)
    assert offences(written, too_long) == []


# --- Decisions --------------------------------------------------------------------------------------------------------


def test_decisions_are_numbered_once() -> None:
    records = files("docs/decisions/0*.md")
    numbers = [path.name[:4] for path in records]
    assert sorted(set(numbers)) == numbers
    assert [path.name for path in records if not path.read_text("utf-8").startswith(f"# {int(path.name[:4])}. ")] == []


# --- What is committed ------------------------------------------------------------------------------------------------

OTHERS = re.compile(r"\.min\.(?:js|css)$|\.map$|\.woff2?$|\.ttf$|(?:^|/)node_modules/|(?:^|/)vendor/|\.mo$")


def test_nothing_of_other_people_is_committed() -> None:
    assert OTHERS.search("static/js/htmx.min.js")
    everything = files()
    assert len(everything) > 100
    assert [path.name for path in everything if OTHERS.search(str(path.relative_to(ROOT)))] == []
    # A minified file without the name of one.
    assert offences(files("static/*.js", "static/*.css"), re.compile(r"^.{1000}", re.MULTILINE).findall) == []
