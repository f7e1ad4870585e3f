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
    """Sets up structlog, the standard library's loggers of our dependencies, and Python's own messages. A wrong
    PAYUNG_LOG is refused later, by the shell; until then lines are for people."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        traces.processor,
    ]
    machine = environ.get(configuration.LOG.name) == "json"
    structlog.configure(
        processors=[*shared, *(_for_machines() if machine else _for_people())],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=logging.WARNING, handlers=[traces.LibraryHandler()])
    _take_over()
    traces.cover()


def _for_machines() -> list[structlog.typing.Processor]:
    return [structlog.processors.JSONRenderer()]


def _for_people() -> list[structlog.typing.Processor]:
    return [traces.joined, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


def _take_over() -> None:
    """Lets libraries that brought a handler of their own (FastStream) write through ours, which shows no values."""
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        own = [one for one in logger.handlers if isinstance(one, logging.StreamHandler)]
        for one in own:
            logger.removeHandler(one)
        if own:
            logger.propagate = True
            logger.setLevel(logging.NOTSET)
