"""Other people's files come from their packages, and only those on the list."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command

from config.staticfiles import SERVED


@pytest.mark.parametrize("name", SERVED)
def test_every_listed_file_is_there(name: str) -> None:
    found = finders.find(f"vendor/{name}")

    assert found
    assert Path(found).is_file()


@pytest.mark.parametrize("name", ["vendor/echarts/package.json", "vendor/../package.json", "vendor/"])
def test_nothing_else_of_a_package_is_served(name: str) -> None:
    assert not finders.find(name)


def test_the_sprite_holds_each_icon_of_the_list() -> None:
    sprite = (settings.ASSETS_DIR / "icons.svg").read_text()
    lines = (settings.BASE_DIR / "static" / "icons.txt").read_text().splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    missing = [
        name
        for name in names
        if f'id="{name.removeprefix("filled/")}{"-filled" if name.startswith("filled/") else ""}"' not in sprite
    ]

    assert not missing, "run `make setup`"


def test_an_icon_that_does_not_exist_is_named(tmp_path: Path, settings: object) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "icons.txt").write_text("no-such-icon\n")
    settings.BASE_DIR = tmp_path  # type: ignore[attr-defined]
    settings.ASSETS_DIR = tmp_path  # type: ignore[attr-defined]

    with pytest.raises(CommandError, match="no-such-icon"):
        call_command("build_assets")
