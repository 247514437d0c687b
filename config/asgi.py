"""What gunicorn serves: Django's pages from threads, and beside them the one stream that stays open (config/live.py).

Pages stay WSGI, so that each thread keeps its database connection; only what waits for hours is asynchronous.
"""

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

from config import live  # noqa: E402 (models are there once Django is set up)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer the stream here, and everything else from a thread."""
    if scope["type"] == "http" and scope["path"] == live.PATH and scope["method"] == "GET":
        await live.stream(scope, receive, send)
    else:
        await pages(scope, receive, send)
