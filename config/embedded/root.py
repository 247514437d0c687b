"""How PostgreSQL runs for root, which it refuses to serve.

Where the kernel allows it, ``keeper.py`` starts it in a user namespace: it sees an ordinary user, and the files stay
root's. Many containers forbid that; there the system's user ``nobody`` stands in, and gets a folder of its own and,
where the way to the package is closed to others, a copy of the programs.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from config.embedded.server import EmbeddedServerError, is_open_to_others, keeper_program

# Not the temporary folder, which a restart may empty: the data outlives it.
_STAND_IN_PLACE = Path("/var/tmp")  # noqa: S108 (the folders in it belong to the stand-in and are closed to others)


@cache
def stand_in() -> pwd.struct_passwd | None:
    """Who runs PostgreSQL instead of root; None where nobody needs to."""
    if os.geteuid() != 0:
        return None
    probe = subprocess.run([*keeper_program(), "probe"], check=False, capture_output=True)
    return pwd.getpwnam("nobody") if probe.returncode else None


def own_place(folder: Path) -> Path:
    """Where the stand-in keeps the folder: there, or outside where others may not even pass through to it."""
    if stand_in() is None or is_open_to_others(folder.parent):
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return _STAND_IN_PLACE / f"voronka-{name}"


def hand_over(folder: Path) -> None:
    """Give a folder and all in it to whom PostgreSQL runs as: the stand-in, or root again where it needs none."""
    if os.geteuid() != 0:
        return
    person = stand_in()
    owner, group = (person.pw_uid, person.pw_gid) if person else (0, os.getegid())
    if folder.stat().st_uid == owner:
        return
    for path in (*folder.rglob("*"), folder):  # the folder last: it says that all the rest is done
        os.chown(path, owner, group, follow_symlinks=False)


def readable_package(package: Path) -> Path:
    """The package's folder, or a copy of it that the stand-in can read."""
    if stand_in() is None or is_open_to_others(package):
        return package
    state = f"{package} {package.stat().st_mtime_ns}"
    place = _STAND_IN_PLACE / f"voronka-programs-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    if not place.exists():
        unfinished = place.with_name(f"{place.name}.{os.getpid()}")
        # The programs look for their libraries beside the package, where the wheel put them.
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, unfinished / folder.name)
        unfinished.chmod(0o755)
        unfinished.rename(place)
    if place.stat().st_uid != 0:
        raise EmbeddedServerError(f"{place} belongs to another user; remove it.")
    return place / package.name
