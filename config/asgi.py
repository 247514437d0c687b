"""What gunicorn serves: Django's pages from threads, and beside them the one stream that stays open (config/live.py).

Pages stay WSGI, so that each thread keeps its database connection; only what waits for hours is asynchronous.
"""

import gc
import os
from typing import Any

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("WEB_THREADS", "8")
pages = WSGIMiddleware(
    get_wsgi_application(),  # type: ignore[arg-type]  # two descriptions of the same environ
    workers=int(os.environ["WEB_THREADS"]),
)

from django.urls import get_resolver  # noqa: E402

from config import live  # noqa: E402 (models are there once Django is set up)

# What is loaded now stays for good: the collector need not look through it again and again while pages are written
# (a fifth of the lead inbox's time was that). Views are part of it, which Django would load with the first request.
assert get_resolver().url_patterns
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer the stream here, and everything else from a thread."""
    if scope["type"] == "http" and scope["path"] == live.PATH and scope["method"] == "GET":
        await live.stream(scope, receive, send)
    else:
        await pages(scope, receive, send)
