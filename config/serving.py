"""How gunicorn serves, wherever it is started: `gunicorn --config python:config.serving`.

From the environment: WEB_WORKERS processes with WEB_THREADS threads each (config/asgi.py). An option on the command
line wins over what stands here.
"""

import os

from gunicorn.glogging import Logger

from config.logging import RedactSecrets


class DiscreetLogger(Logger):
    """Access and error lines without the tokens that public addresses hold."""

    def setup(self, cfg: object) -> None:
        """Put the filter on what writes, so that loggers which borrow the handlers are covered too."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.addFilter(RedactSecrets())


logger_class = DiscreetLogger
wsgi_app = "config.asgi"
worker_class = "config.web_worker.WebWorker"
workers = int(os.environ.get("WEB_WORKERS", "2"))
# Longer than a page pauses between two questions: a connection closed just as it asks again fails the request.
keepalive = 65
control_socket_disable = True
