"""A database backend that starts the embedded server when, and only when, something connects."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from config import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, with the server brought up before the first connection and after a crash."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect to the embedded server, running or not."""
        for server in (embedded.postgres(), embedded.postgres(test=True)):
            if conn_params.get("host") == str(server.socket_folder):
                server.ensure()
        return super().get_new_connection(conn_params)
