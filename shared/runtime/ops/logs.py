"""Logging: structlog to standard error, for people (console) or machines (json). Logs never contain a name, NIK or
account."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

import structlog

from shared.runtime import configuration
from shared.runtime.ops import traces


def configure(service: str, environ: Mapping[str, str]) -> None:
    """Sets up both structlog and the standard library's loggers of our dependencies. A wrong PAYUNG_LOG is refused
    later, by the shell; until then lines are for people."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        traces.processor,
    ]
    machine = environ.get(configuration.LOG.name) == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if machine else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(traces.Formatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
