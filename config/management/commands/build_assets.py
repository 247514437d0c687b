"""`manage.py build_assets`: the icon sprite, out of the icons that static/icons.txt names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_INVISIBLE_BOX = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>')
# How the two families of the package are drawn; a <symbol> inherits only what it says itself.
_STYLES = {
    "outline": ('fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'),
    "filled": 'fill="currentColor"',
}


class Command(BaseCommand):
    """Writes var/assets/icons.svg; quick, and harmless when nothing changed."""

    help = "Build the icon sprite from the npm package and static/icons.txt."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Collect one <symbol> for each line of the list."""
        lines = (settings.BASE_DIR / "static" / "icons.txt").read_text().splitlines()
        names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        symbols = "\n".join(_symbol(name) for name in sorted(set(names)))
        settings.ASSETS_DIR.mkdir(parents=True, exist_ok=True)
        sprite = settings.ASSETS_DIR / "icons.svg"
        sprite.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n')
        self.stdout.write(f"{len(set(names))} icons in {sprite}")


def _symbol(name: str) -> str:
    """The icon ``phone`` as ``<symbol id="phone">``, ``filled/phone`` as ``phone-filled``."""
    family, _, icon = name.rpartition("/")
    family = family or "outline"
    source = Path(settings.BASE_DIR) / "node_modules" / "@tabler" / "icons" / "icons" / family / f"{icon}.svg"
    if family not in _STYLES or not source.is_file():
        raise CommandError(f"static/icons.txt names {name!r}, which @tabler/icons does not have.")
    drawing = _DRAWING.search(source.read_text())
    if drawing is None:
        raise CommandError(f"{source} is not a drawing.")
    paths = " ".join(_INVISIBLE_BOX.sub("", drawing[1]).split())
    identifier = icon if family == "outline" else f"{icon}-filled"
    return f'<symbol id="{identifier}" viewBox="0 0 24 24" {_STYLES[family]}>{paths}</symbol>'
