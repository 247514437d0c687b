"""Imports: each belongs to whoever uploaded its file, and shows a whole file of customers."""

from __future__ import annotations

from tests.access.policies import RESTORERS, WRITERS, Policy, Row, form, reads, writes
from tests.access.rows.arguments import of

IMPORT = of(pk="import_run")
IMPORTERS: Policy = RESTORERS
"""Who imported, who leads them, and admins; a viewer reads records, but nobody's files."""

ROWS: dict[str, Row] = {
    "import_list": reads(WRITERS, names={**IMPORTERS, "viewer": "403"}),
    "import_create": form(WRITERS),
    "import_detail": reads(IMPORTERS, IMPORT),
    "import_columns": form(IMPORTERS, IMPORT),
    "import_start": writes(IMPORTERS, IMPORT),
    "import_cancel": writes(IMPORTERS, IMPORT),
    "import_undo": writes(IMPORTERS, IMPORT),
    "import_problems": reads(IMPORTERS, IMPORT),
    "import_mapping_save": writes(IMPORTERS, IMPORT),
}
