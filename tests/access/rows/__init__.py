"""The matrix: every named address of the site and who gets what from it. An address without a row fails the tests.

A subject a module; each says its `ROWS`, and where an address takes two ids, its `MISMATCHED`.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.access.policies import Row
from tests.access.rows.arguments import Args

_MODULES = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]

ROWS: dict[str, Row] = {}
MISMATCHED: dict[str, tuple[str, Args]] = {}
for _module in _MODULES:
    ROWS |= getattr(_module, "ROWS", {})
    MISMATCHED |= getattr(_module, "MISMATCHED", {})
