"""No token gets into a log line."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest
from django.conf import settings
from gunicorn.config import Config

from config.logging import JsonFormatter, RedactSecrets, redact
from config.serving import DiscreetLogger
from crm.rules.tokens import API_PREFIX, new_secret


@pytest.mark.parametrize("wrap", ["/c/{}.ics", "/u/{}/", "/a/?token={}&b=1", "Bearer {}", "'{}'", "{}"])
def test_token_is_taken_out_wherever_it_stands(wrap: str) -> None:
    for _ in range(50):
        secret = new_secret()
        for told in (secret, API_PREFIX + secret):
            line = redact(f"Not Found: {wrap.format(told)}")
            assert secret not in line
            assert secret[:6] not in line
            assert line == f"Not Found: {wrap.format('…')}"


def test_other_lines_stay_as_they_are() -> None:
    line = "Not Found: /deals/123456/ 0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8 " + "a" * 42
    assert redact(line) == line


def test_line_and_its_traceback_are_written_without_the_token() -> None:
    secret, written = new_secret(), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RedactSecrets())
    logger = logging.Logger("test")  # noqa: LOG001 (one that nothing else writes into)
    logger.addHandler(handler)
    try:
        int(secret)
    except ValueError:
        logger.exception("GET %s %d", f"/feeds/{secret}.ics", 500)

    assert secret not in written.getvalue()
    assert "GET /feeds/….ics 500" in written.getvalue()
    assert "invalid literal for int() with base 10: '…'" in written.getvalue()


def test_every_handler_of_ours_is_discreet() -> None:
    assert all("secrets" in handler["filters"] for handler in settings.LOGGING["handlers"].values())


def test_gunicorn_writes_no_token_either(tmp_path: Path) -> None:
    config = Config()
    config.set("accesslog", str(tmp_path / "access"))
    config.set("errorlog", str(tmp_path / "error"))
    logger = DiscreetLogger(config)
    secret = new_secret()
    logger.access_log.info("%(r)s", {"r": f"GET /u/{secret}/ HTTP/1.1"})
    logger.error("Error at %s", f"/u/{secret}/")

    assert (tmp_path / "access").read_text() == "GET /u/…/ HTTP/1.1\n"
    assert "Error at /u/…/" in (tmp_path / "error").read_text()
