"""The demo's settings with the floors among the addresses."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
