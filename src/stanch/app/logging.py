"""What the process says about itself: structured lines on standard error, never on standard output."""

import logging
import os
import sys
from typing import Final

import structlog

from stanch.kernel.redaction import redact_tree

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(*, level: str = "") -> None:
    """Send log lines of `level` and above to standard error: readable on a terminal, JSON otherwise.

    `level` is `debug`, `info`, `warning` or `error`, by default that of STANCH_LOG, else `warning`. Secrets are
    redacted before a line is written.
    """
    wanted = _LEVELS.get((level or os.environ.get("STANCH_LOG", "")).lower(), logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(wanted),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _without_secrets(logger: object, method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: redact_tree(value) for name, value in entry.items()}
