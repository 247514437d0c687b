"""PostgreSQL and Valkey from installable packages, for when no DATABASE_URL or REDIS_URL names a server.

``postgres().ensure()`` returns once the server answers; it starts it when it is not running. All processes that use one
folder share one server, which ``keeper.py`` stops some seconds after the last of them has gone, however it went.
Everything lies under ``var/`` (or ``$VORONKA_VAR``), but for sockets whose path would be too long.
"""

from __future__ import annotations

from functools import cache

from config.embedded.postgres import DATABASE_NAME, EmbeddedPostgres
from config.embedded.server import BASE_DIR, EmbeddedServer, EmbeddedServerError, keeper_program, var_folder
from config.embedded.valkey import EmbeddedValkey

__all__ = [
    "BASE_DIR",
    "DATABASE_NAME",
    "EmbeddedServer",
    "EmbeddedServerError",
    "keeper_program",
    "postgres",
    "stop_all",
    "valkey",
    "var_folder",
]


@cache
def postgres(*, test: bool = False) -> EmbeddedPostgres:
    """The one of the demo and of development, or the one of the tests, which trades safety for speed."""
    return EmbeddedPostgres("test-pg", durable=False) if test else EmbeddedPostgres("pg")


@cache
def valkey(*, test: bool = False) -> EmbeddedValkey:
    """The broker of the demo and of development, or the one of the tests."""
    return EmbeddedValkey("test-valkey" if test else "valkey")


def stop_all() -> None:
    """Stop whatever embedded server runs in this ``var/``, used or not."""
    servers = [postgres(), postgres(test=True), valkey(), valkey(test=True)]
    for server in servers:
        server.stop(even_if_used=True)
    for server in servers:
        server.wait_until_stopped()
