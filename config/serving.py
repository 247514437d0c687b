"""How gunicorn serves, wherever it is started: `gunicorn --config python:config.serving`.

From the environment: WEB_WORKERS processes with WEB_THREADS threads each (config/asgi.py). An option on the command
line wins over what stands here.
"""

import os

wsgi_app = "config.asgi"
worker_class = "config.web_worker.WebWorker"
workers = int(os.environ.get("WEB_WORKERS", "2"))
# Longer than a page pauses between two questions: a connection closed just as it asks again fails the request.
keepalive = 65
control_socket_disable = True
