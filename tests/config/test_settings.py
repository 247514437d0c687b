"""A production server starts safely or not at all."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

SAFE = {
    "VORONKA_ENV": "production",
    "SECRET_KEY": "".join(chr(33 + place) for place in range(60)).replace("$", "x"),
    "ALLOWED_HOSTS": "crm.example.com",
    "PUBLIC_BASE_URL": "https://crm.example.com",
    "DATABASE_URL": "postgresql://voronka@db/voronka",
    "REDIS_URL": "redis://broker/0",
    "EMAIL_URL": "smtp://mail.example.com",
}


def _check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    paths = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=paths | environment, capture_output=True, text=True, check=False
    )


def test_a_safe_production_is_clean() -> None:
    result = _check(SAFE)

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "insecure: for development, demo and tests only; production refuses to start with it"),
        ("DEBUG", "on"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "*"),
        ("DATABASE_URL", ""),
        ("REDIS_URL", ""),
        ("PUBLIC_BASE_URL", ""),
        ("EMAIL_URL", ""),
    ],
)
def test_an_unsafe_production_does_not_start(name: str, value: str) -> None:
    result = _check(SAFE | {name: value})

    assert result.returncode != 0
    assert f"does not start in production like this: {name} must" in result.stderr


def test_a_number_that_is_none_is_named() -> None:
    assert "EMAIL_TIMEOUT is 'soon'; it must be a whole number." in _check(SAFE | {"EMAIL_TIMEOUT": "soon"}).stderr


def test_an_unknown_mode_is_named() -> None:
    assert "must be one of development, demo, test, production" in _check({"VORONKA_ENV": "prod"}).stderr
