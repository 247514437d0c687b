"""What `make demo` refuses before it starts anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


@pytest.mark.parametrize("port", ["abc", "0", "65536", "9" * 5_000, ""])
def test_a_port_that_is_none_is_named(port: str, tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "config.demo"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "PORT": port, "VORONKA_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"PORT is {port!r}; it must be a number from 1 to 65535")
