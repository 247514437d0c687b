"""A mail server in a process of its own: what it accepts is in its ledger before it says so.

Run as `python smtp_sink.py LEDGER [SECONDS_A_MESSAGE [PORT]]`; prints its port. The beginning of a recipient's address
says how it behaves: `refused` (550 for good), `later` (451 the first time), `spam` (554 after DATA), `drop` (accepts,
then cuts the line without an answer, the first time), `slow` (its answer comes a byte a second, the first time),
`guest` (the ledger keeps the whole message).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

HEADERS = BytesHeaderParser()


class Sink:
    """Accepts mail as its recipient's address says."""

    def __init__(self, ledger: Path, seconds: float) -> None:
        self.ledger = ledger.open("a", buffering=1)
        self.seconds = seconds
        self.seen: set[str] = set()

    def _is_first(self, address: str) -> bool:
        first = address not in self.seen
        self.seen.add(address)
        return first

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 5.1.1 no such user"
        if address.startswith("later") and self._is_first(address):
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        (address,) = envelope.rcpt_tos
        if address.startswith("spam"):
            return "554 5.7.1 spam"
        await asyncio.sleep(self.seconds)
        message = HEADERS.parsebytes(envelope.content or b"", headersonly=True)
        whole = {"content": bytes(envelope.content or b"").decode("latin-1")} if address.startswith("guest") else {}
        self._write(
            message_id=message["Message-ID"], to=address, subject=str(message["Subject"]), at=time.time(), **whole
        )
        if address.startswith("drop") and self._is_first(address):
            server.transport.abort()
            await asyncio.sleep(3600)
        if address.startswith("slow") and self._is_first(address):
            for byte in b"250 a byte a second, then: ":
                server.transport.write(bytes([byte]))
                await asyncio.sleep(1)
        return "250 accepted"

    def _write(self, **entry: Any) -> None:
        self.ledger.write(json.dumps(entry) + "\n")


def main() -> None:
    """Serve until killed."""
    ledger, seconds = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    controller = Controller(Sink(ledger, seconds), hostname="127.0.0.1", port=0, ready_timeout=10)
    # aiosmtpd looks whether it answers on the port it was given, which is not yet known: so it is started by hand.
    loop = controller.loop
    server = loop.run_until_complete(loop.create_server(controller._factory_invoker, "127.0.0.1", port))
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    loop.run_forever()


if __name__ == "__main__":
    main()
