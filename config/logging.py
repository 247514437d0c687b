"""Log lines a machine reads, one JSON object a line; and no line that holds a secret."""

import json
import logging
import re
from datetime import UTC, datetime

# What `crm.rules.tokens.new_secret` makes, wherever it stands: a path, a header, a traceback.
_SECRET = re.compile(r"(?<![\w-])(voronka_)?[\w-]{43}(?![\w-])", re.ASCII)


def redact(text: str) -> str:
    """Return `text` with an ellipsis in place of every token."""
    return _SECRET.sub("…", text)


class RedactSecrets(logging.Filter):
    """Takes tokens out of a record before a handler writes it: addresses of public links are keys."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it always passes."""
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class JsonFormatter(logging.Formatter):
    """Time, level, logger and message of a record, with its traceback where it has one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
