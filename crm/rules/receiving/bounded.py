"""An IMAP connection with bounds: to checked addresses, of so many bytes an answer, over by its deadline."""

from __future__ import annotations

import imaplib
import socket
import ssl
from contextlib import suppress

from django.conf import settings
from imap_tools import BaseMailBox
from imap_tools.errors import MailboxStarttlsError
from imap_tools.utils import check_command_status

from crm.models import Mailbox
from crm.rules.receiving.reaching import Deadline, reach

ROOM = 8 << 20
"""Bytes of an answer beside the message in it; the longest line, too: a million UIDs."""
PIECE = 1 << 16


class BoundedClient(imaplib.IMAP4):
    """imaplib's client, with its own way to connect and to read."""

    def __init__(self, host: str, port: int, *, deadline: Deadline, context: ssl.SSLContext | None = None) -> None:
        self._deadline, self._context = deadline, context
        self._left = 0
        self._source: socket.socket | None = None
        self._waiting = bytearray()
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002 (imaplib's signature)
        self._left = _longest_answer()
        connection = reach(self.host, self.port, self._deadline)
        if self._context is None:
            return connection
        return self._context.wrap_socket(connection, server_hostname=self.host)

    def send(self, data: bytes) -> None:  # type: ignore[override]  # any buffer, says typeshed
        """Send a command, whose answer may be as long as any."""
        self._left = _longest_answer()
        self.sock.settimeout(self._deadline.left())
        super().send(data)

    def read(self, size: int) -> bytes:
        """Return a literal, of one larger than was asked for its beginning: some servers do not give parts."""
        kept = min(size, settings.MAILBOX_MESSAGE_MAX_BYTES)
        while len(self._received()) < kept:
            self._receive()
        content = bytes(self._waiting[:kept])
        del self._waiting[:kept]
        self._pass_over(size - kept)
        return content

    def readline(self) -> bytes:
        """Return a line."""
        searched = 0
        while (end := self._received().find(b"\n", searched)) < 0:
            searched = len(self._waiting)
            if searched > ROOM:
                raise self.error("a line without an end")
            self._receive()
        line = bytes(self._waiting[: end + 1])
        del self._waiting[: end + 1]
        return line

    def _received(self) -> bytearray:
        """What came and was not read yet; what came in plain text before encryption began is nobody's."""
        if self._source is not self.sock:
            self._source, self._waiting = self.sock, bytearray()
        return self._waiting

    def _receive(self) -> None:
        self._waiting += self._piece()
        if self._left < 0:
            raise self.error("an answer without an end")

    def _pass_over(self, size: int) -> None:
        while size > len(self._waiting):
            size -= len(self._waiting)
            self._waiting[:] = self._piece()
            self._left += len(self._waiting)  # not kept
        del self._waiting[:size]

    def _piece(self) -> bytes:
        self.sock.settimeout(self._deadline.left())
        piece = self.sock.recv(PIECE)
        if not piece:
            raise ConnectionResetError
        self._left -= len(piece)
        return piece


class BoundedMailBox(BaseMailBox):
    """A mailbox over such a connection, encrypted as its settings say."""

    def __init__(self, mailbox: Mailbox, deadline: Deadline) -> None:
        self._mailbox, self._deadline = mailbox, deadline
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        mailbox, context = self._mailbox, ssl.create_default_context()
        whole = context if mailbox.security == Mailbox.Security.TLS else None
        client = BoundedClient(mailbox.host, mailbox.port, deadline=self._deadline, context=whole)
        if mailbox.security == Mailbox.Security.STARTTLS:
            try:
                check_command_status(client.starttls(context), MailboxStarttlsError)
            except BaseException:
                client.shutdown()
                raise
        return client

    def leave(self, seconds: float) -> None:
        """Say goodbye, within so many seconds, and close the connection whatever is answered."""
        self._deadline.shorten(seconds)
        with suppress(Exception):
            self.client.logout()
        with suppress(OSError):
            self.client.shutdown()


def _longest_answer() -> int:
    return int(settings.MAILBOX_MESSAGE_MAX_BYTES) + ROOM
