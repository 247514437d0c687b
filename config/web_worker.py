"""The process that serves pages: uvicorn under gunicorn, ending its open streams before it waits for requests."""

from __future__ import annotations

import socket
import sys

import uvicorn
from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker


class Server(uvicorn.Server):
    """Ends the open streams first, or each stop would wait for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is in hand."""
        from config import live  # gunicorn loads this module before Django is set up

        live.end_all()
        await super().shutdown(sockets)


class WebWorker(UvicornWorker):
    """Runs that server."""

    async def _serve(self) -> None:
        """Serve until a signal; as the base class does, with a server of ours."""
        self.config.app = self.wsgi
        self.config.server_header = False
        self.config.timeout_graceful_shutdown = self.cfg.graceful_timeout
        server = Server(self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
