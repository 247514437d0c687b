"""What every test may ask for: the cast, and servers that a test may start and kill.

The database needs no fixture: without DATABASE_URL the settings use an embedded PostgreSQL of the tests' own, started by
the first connection and stopped some seconds after the last test.
"""

from __future__ import annotations

import pytest
from django.conf import settings

from config import embedded


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A running Redis-compatible server: REDIS_URL's, else the embedded one of the tests."""
    if settings.IS_REDIS_EMBEDDED:
        embedded.valkey(test=True).ensure()
    return settings.REDIS_URL
