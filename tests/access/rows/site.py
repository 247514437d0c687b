"""The site, and what is one's own."""

from __future__ import annotations

from tests.access.policies import (
    ADDRESSEE,
    EVERYBODY,
    NOBODY_PUBLIC,
    PUBLIC,
    READERS,
    RESTORERS,
    WRITERS,
    Row,
    form,
    reads,
    writes,
)
from tests.access.rows.arguments import FIND, of

ROWS: dict[str, Row] = {
    # --- The site
    "healthz": Row(get=PUBLIC, post=NOBODY_PUBLIC),
    "readyz": Row(get=PUBLIC, post=NOBODY_PUBLIC),
    "set_language": Row(get=PUBLIC, post=PUBLIC),
    # --- One's own
    "my_day": reads(EVERYBODY, query="?of=team", names={**READERS, "teammate": "sees their own"}),
    "search": reads(EVERYBODY, query=FIND, names=READERS),
    "bin_list": reads(WRITERS, names=RESTORERS),
    "theme_choose": writes(EVERYBODY, fields={"theme": "dark"}),
    "language_choose": writes(EVERYBODY, fields={"language": "ru"}),
    "user_settings": form(EVERYBODY),
    "api_token_create": form(EVERYBODY, fields={"name": "Books", "scope": "read", "days": "30"}),
    "api_token_revoke": writes(ADDRESSEE, of(pk="api_token")),
    "absence_create": form(WRITERS, fields={"starts_on": "2099-07-01", "ends_on": "2099-07-14"}),
    "absence_delete": writes({**ADDRESSEE, "viewer": "403"}, of(pk="absence")),
    "notification_list": reads(EVERYBODY),
    "live": Row(get=PUBLIC, post=NOBODY_PUBLIC),
    "notification_bell": Row(get=PUBLIC, post=NOBODY_PUBLIC),  # silent for strangers
    "notification_read_all": writes(EVERYBODY),
    "notification_open": writes(ADDRESSEE, of(pk="notice")),
    # --- Choosers
    "choose_companies": reads(EVERYBODY, query=FIND, names=READERS),
    "choose_contacts": reads(EVERYBODY, query=FIND, names=READERS),
}
