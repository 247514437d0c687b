"""Other people's files that we serve, straight from node_modules, as ``vendor/…``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage, Storage

# The name we serve, below vendor/ → the file in node_modules. A file that names a source map needs its map listed too.
SERVED = {
    "tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler/tabler.min.css.map": "@tabler/core/dist/css/tabler.min.css.map",
    "sortablejs/Sortable.min.js": "sortablejs/Sortable.min.js",
    "quill/quill.js": "quill/dist/quill.js",
    "quill/quill.js.map": "quill/dist/quill.js.map",
    "quill/quill.core.css": "quill/dist/quill.core.css",
    "quill/quill.core.css.map": "quill/dist/quill.core.css.map",
    "tom-select/tom-select.complete.min.js": "tom-select/dist/js/tom-select.complete.min.js",
    "tom-select/tom-select.complete.min.js.map": "tom-select/dist/js/tom-select.complete.min.js.map",
    "tom-select/tom-select.min.css": "tom-select/dist/css/tom-select.min.css",
    "tom-select/tom-select.min.css.map": "tom-select/dist/css/tom-select.min.css.map",
    "event-calendar/event-calendar.min.js": "@event-calendar/build/dist/event-calendar.min.js",
    "event-calendar/event-calendar.min.js.map": "@event-calendar/build/dist/event-calendar.min.js.map",
    "event-calendar/event-calendar.min.css": "@event-calendar/build/dist/event-calendar.min.css",
    "echarts/echarts.min.js": "echarts/dist/echarts.min.js",
    "inter/inter-latin-wght-normal.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter/inter-latin-ext-wght-normal.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "inter/inter-cyrillic-wght-normal.woff2": "@fontsource-variable/inter/files/inter-cyrillic-wght-normal.woff2",
}
PREFIX = "vendor/"


class PackageFinder(BaseFinder):
    """Finds the listed files, and nothing else of node_modules."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        self.storage = PackageStorage(location=settings.BASE_DIR / "node_modules")

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:  # noqa: FBT001, FBT002 (Django's)
        """The file served as `path`, or an empty list."""
        source = SERVED.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
        if source is None:
            return []
        found = str(settings.BASE_DIR / "node_modules" / source)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """Every served name, with the storage that opens it."""
        for name in SERVED:
            if not matches_patterns(name, list(ignore_patterns or ())):
                yield PREFIX + name, self.storage


class PackageStorage(FileSystemStorage):
    """Opens a file by the name under which it is served."""

    def path(self, name: str) -> str:
        """Where the file really lies."""
        return str(Path(self.location) / SERVED[name.removeprefix(PREFIX)])
