"""What every gunicorn of ours has in common; it reads this file by itself. The rest stands in its command line."""

from gunicorn.glogging import Logger

from config.logging import RedactSecrets


class DiscreetLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Access and error lines without the tokens that public addresses hold."""

    def setup(self, cfg: object) -> None:
        """Put the filter on what writes, so that loggers which borrow the handlers are covered too."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.addFilter(RedactSecrets())


logger_class = DiscreetLogger
