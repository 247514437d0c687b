"""Keeps one embedded server running for as long as some process uses it.

Run as a program of its own (``python -I -S keeper.py …``), with the standard library alone, so that it
starts in milliseconds and outlives the ``manage.py`` that asked for it:

``keep FOLDER WAY SIGNAL COMMAND…``
    start COMMAND the given WAY (``run`` or ``run-ordinary``), start it again when it dies, and stop it with SIGNAL once
    nobody has held FOLDER/users.lock for a while;
``run SIGNAL COMMAND…``
    become COMMAND, which gets SIGNAL when its parent dies; ``run-ordinary`` also makes root look like somebody else;
``probe``
    succeed where a user namespace can be had.

A user of the server holds a shared ``flock`` on users.lock. The kernel lets go of it however the user dies, so
there is no count that could be wrong after ``kill -9``.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

LINGER_SECONDS = 20.0  # long enough that one `manage.py` after another finds the server warm
POLL_SECONDS = 0.2
RESTART_SECONDS = 0.5  # between two starts of a server that dies at once
STOP_SECONDS = 30.0
ATTEMPTS = 20
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_ORDINARY_ID = 1000  # any id but 0 will do inside the namespace


class Keeper:
    """One server process and the question whether anybody still needs it."""

    def __init__(self, folder: Path, way: str, stop_signal: signal.Signals, command: list[str]) -> None:
        self.folder = folder
        self.way = way
        self.stop_signal = stop_signal
        self.command = command
        self.linger = LINGER_SECONDS
        self.stop_now = False
        self.server: subprocess.Popen[bytes] | None = None
        self.users_lock = (folder / "users.lock").open("a")

    def keep(self) -> None:
        """Run the server until nobody uses it; returns once it has stopped."""
        signal.signal(signal.SIGTERM, self._leave_when_free)
        signal.signal(signal.SIGINT, self._leave_now)
        idle_since: float | None = None
        while not self.stop_now:
            self._start_if_dead()
            if not self._is_free():
                idle_since = None
            elif idle_since is None:
                idle_since = time.monotonic()
            if idle_since is not None and time.monotonic() - idle_since >= self.linger:
                # Taken once more and kept until this process ends: who comes now waits, then starts anew.
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(self.users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
            time.sleep(POLL_SECONDS)
        self._stop()

    def _leave_when_free(self, _signal: int, _frame: FrameType | None) -> None:
        self.linger = 0.0

    def _leave_now(self, _signal: int, _frame: FrameType | None) -> None:
        self.stop_now = True

    def _is_free(self) -> bool:
        try:
            fcntl.flock(self.users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self.users_lock, fcntl.LOCK_UN)
        return True

    def _start_if_dead(self) -> None:
        if self.server is not None:
            if self.server.poll() is None:
                return
            time.sleep(RESTART_SECONDS)
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, self.way, self.stop_signal.name, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _stop(self) -> None:
        if self.server is None:
            return
        self.server.send_signal(self.stop_signal)
        try:
            self.server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()


def keep(folder: Path, way: str, stop_signal: signal.Signals, command: list[str]) -> None:
    """Be the folder's only keeper, or leave at once when it has one."""
    keeper_lock = (folder / "keeper.lock").open("a+")
    for _attempt in range(ATTEMPTS):  # who looks whether a keeper lives holds the lock for a moment, too
        try:
            fcntl.flock(keeper_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(POLL_SECONDS / 10)
    else:
        return
    keeper_lock.truncate(0)
    keeper_lock.write(str(os.getpid()))
    keeper_lock.flush()
    Keeper(folder, way, stop_signal, command).keep()


def run(stop_signal: signal.Signals, command: list[str], *, as_ordinary: bool) -> None:
    """Become the command; its parent's death reaches it as ``stop_signal``."""
    parent = os.getppid()
    if as_ordinary and os.geteuid() == 0:
        _become_ordinary()
    die_with_parent(stop_signal)
    if os.getppid() != parent:  # it died before the line above took hold
        sys.exit(1)
    os.execv(command[0], command)


def die_with_parent(stop_signal: signal.Signals) -> None:
    """Ask the kernel to send ``stop_signal`` here when the parent dies (Linux only; elsewhere nothing happens)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(stop_signal))


def _become_ordinary() -> None:
    """Be no root to PostgreSQL: in a user namespace, where files stay root's own, else as ``nobody`` (see root.py)."""
    if not _enter_user_namespace():
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)


def _enter_user_namespace() -> bool:
    uid, gid = os.geteuid(), os.getegid()
    if sys.platform != "linux" or ctypes.CDLL(None).unshare(_CLONE_NEWUSER) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_ORDINARY_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_ORDINARY_ID} {gid} 1")
    return True


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(Path(sys.argv[2]), sys.argv[3], signal.Signals[sys.argv[4]], sys.argv[5:])
    elif sys.argv[1] == "probe":
        sys.exit(not _enter_user_namespace())
    else:
        run(signal.Signals[sys.argv[2]], sys.argv[3:], as_ordinary=sys.argv[1] == "run-ordinary")
