"""A real IMAP server, Debian's dovecot, run by a test as itself: no port below 1024, no user of the system."""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

_BINARIES = ("dovecot", "/usr/sbin/dovecot")

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = {login_user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail/%u
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
  }}
}}
"""


def dovecot() -> str:
    """Return the path of dovecot; without one the test is skipped, in CI it fails."""
    found = next(filter(None, map(shutil.which, _BINARIES)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("CI must have an IMAP server: install dovecot-imapd.")
    if found is None:
        pytest.skip("No dovecot found; install dovecot-imapd.")
    return found


class ImapServer:
    """Dovecot with one user; messages are put into it as a mail server would."""

    password = "secret-of-the-box"

    def __init__(self, folder: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        self.folder, self.user = folder, "box"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> ImapServer:
        """Start it and wait until one can log in."""
        person, login_user = _people()
        values = {
            "user": person.pw_name,
            "login_user": login_user,
            "group": grp.getgrgid(person.pw_gid).gr_name,
            "uid": person.pw_uid,
            "gid": person.pw_gid,
        }
        if os.getuid() == 0:
            self.folder.chmod(0o755)
            for name in ("", "mail"):
                (self.folder / name).mkdir(exist_ok=True)
                os.chown(self.folder / name, person.pw_uid, person.pw_gid)
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=self.folder, port=self.port, password=self.password, **values)
        )
        with (self.folder / "out.log").open("wb") as log:
            command = [dovecot(), "-F", "-c", str(configuration)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.client().logout()
            except (OSError, imaplib.IMAP4.error):
                time.sleep(0.05)
            else:
                return self
        raise AssertionError(self.log())

    def stop(self) -> None:
        """Stop it, and every connection with it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def client(self) -> imaplib.IMAP4:
        """A connection that is logged in."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(self.user, self.password)
        return client

    def put(self, message: bytes, *, folder: str = "INBOX") -> None:
        """Deliver a message."""
        client = self.client()
        try:
            said, _answer = client.append(folder, "", "", message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            assert said == "OK"
        finally:
            client.logout()

    def for_another(self, user: str) -> None:
        """From now on it is this user's mailbox, empty at first."""
        self.user = user

    def begin_anew(self, *, folder: str = "Sent") -> None:
        """Delete a folder and make it again: its UIDs mean other messages from now on."""
        client = self.client()
        client.delete(folder)
        client.create(folder)
        client.logout()

    def log(self) -> str:
        """What it wrote."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))[-4000:]


def _people() -> tuple[pwd.struct_passwd, str]:
    """Whose mail it is, and who asks for passwords: ourselves; for root, as whom dovecot does not run, its own."""
    if os.getuid() != 0:
        person = pwd.getpwuid(os.getuid())
        return person, person.pw_name
    return pwd.getpwnam("dovecot"), "dovenull"
