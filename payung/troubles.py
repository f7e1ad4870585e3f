"""Turns every failure of a command into one line; no command ends with a traceback.

An expected error has its own message. An unexpected error is shown by its type and the line of our code that raised it.
Its text is not shown, because it may contain a name or a password.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable

import click
import structlog
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from payung.embedded.errors import LaunchError
from payung.installations import CommandError
from payung.start import INTERRUPTED
from shared.lists.errors import ListError
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.kafka import refusals
from shared.runtime.ops import traces

FAILED = 1
MISUSED = 2
# An environment variable of another form, or a server that is set up in another way than Payung needs; as for services.
MISCONFIGURED = 78
_OURS = (CommandError, LaunchError, StartRefused, Unavailable)


def error_lines(error: BaseException) -> str:
    """The line about an error; two lines when the second is the English text."""
    if isinstance(error, ListError):
        return f"{error.message_id}\n        ({error.message_en})"
    if isinstance(error, _OURS):
        return str(error)
    if isinstance(error, KafkaError):
        return f"Kafka does not do it ({type(error).__name__}{refusals.reason()}); see `payung status`"
    if isinstance(error, PyMongoError):
        return f"MongoDB does not do it ({type(error).__name__}); see `payung status`"
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    if isinstance(error, UnicodeDecodeError):
        return "a file is not text in UTF-8"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    return f"this should not happen, please report it: {traces.short(error)}"


def run(command: Callable[[], object], say: Callable[[str], object]) -> None:
    """Runs the command line and sets the exit code: 1 for a failure, 2 for wrong usage, 78 for a wrong setting,
    130 for Ctrl-C."""
    _be_quiet()
    try:
        command()
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has closed the pipe. Python must not write the rest of the buffer when it ends.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except (SystemExit, click.exceptions.Exit):
        raise
    except BaseException as error:  # noqa: BLE001  # whatever it is, a person reads one line
        say(f"payung: {error_lines(error)}")
        sys.exit(_code(error))


def _code(error: BaseException) -> int:
    if isinstance(error, StartRefused):
        return MISCONFIGURED
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED


def _be_quiet() -> None:
    """Silences the libraries' messages about absent servers; the command reports them in one line."""
    refusals.listen()
    logging.lastResort = None
    for name in ("asyncio", "aiokafka", "pymongo", "faststream"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
