"""Tracebacks without personal values or secrets: where an exception was raised, through which lines, of which type.

The text of an exception is left out unless it is one of our own types, whose texts are written for the operator. A
KeyError or a validation error repeats a value, and that value may be a name or a NIK. Local variables are never shown.
The same holds for what Python itself would write to standard error: uncaught errors and warnings (`cover`).
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import structlog

from shared.kernel.identity import without_niks
from shared.runtime.errors import Defect, StartRefused, Unavailable

_PROJECT = Path(__file__).parents[3]
_FRAMES_MAX = 30


def short(error: BaseException) -> str:
    """One line: `KeyError at services/claims/domain/decide.py:88 in decide`, the innermost line of our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if Path(one.filename).is_relative_to(_PROJECT) and ".venv" not in one.filename]
    where = ours[-1] if ours else (frames[-1] if frames else None)
    return _kind(error) if where is None else f"{_kind(error)} at {_place(where)}"


def safe_text(error: BaseException) -> str:
    """The type, and the text when it is safe to show."""
    if isinstance(error, StartRefused | Unavailable | Defect):
        return f"{_kind(error)}: {without_niks(str(error))}"
    return short(error)


def lines(error: BaseException) -> list[str]:
    """The frames from the outermost to the innermost, the type, then its cause in the same form."""
    found = [_place(one) for one in traceback.extract_tb(error.__traceback__)][-_FRAMES_MAX:]
    found.append(safe_text(error) if isinstance(error, StartRefused | Unavailable | Defect) else _kind(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        found += ["caused by", *lines(cause)[-_FRAMES_MAX:]]
    return found


def _kind(error: BaseException) -> str:
    code = getattr(error, "code", None)
    # The number of a server's error (MongoDB's 18: the login failed) says what its text would.
    return f"{type(error).__name__} {code}" if type(code) is int else type(error).__name__


def _place(frame: traceback.FrameSummary) -> str:
    return f"{_named(frame.filename)}:{frame.lineno} in {frame.name}"


def _named(filename: str) -> Path:
    path = Path(filename)
    return path.relative_to(_PROJECT) if path.is_relative_to(_PROJECT) else Path(*path.parts[-3:])


def processor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For structlog: replaces `exc_info` with such lines, and an exception in any other field with its `safe_text`."""
    given = event.pop("exc_info", None)
    for name, value in event.items():
        if isinstance(value, BaseException):
            event[name] = safe_text(value)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = lines(error)
    return event


def joined(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For structlog's console form, which takes a traceback as one text."""
    if isinstance(event.get("exception"), list):
        event["exception"] = "\n".join(event["exception"])
    return event


class LibraryHandler(logging.Handler):
    """Writes the messages of our dependencies' loggers as lines of our own log, so that every line has one form.

    Many libraries write the exception's own text, as an argument of the message, inside it or after its first line;
    that text is left out.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """One event, with the lines of the traceback."""
        log = structlog.get_logger()
        log.log(record.levelno, message(record), logger=record.name, exc_info=record.exc_info)


def message(record: logging.LogRecord) -> str:
    """The first line of a message, with a kind wherever it repeats an exception."""
    errors: list[BaseException] = []
    args: Any = record.args
    if isinstance(args, Mapping):
        errors = [one for one in args.values() if isinstance(one, BaseException)]
        args = {name: _kind(one) if isinstance(one, BaseException) else one for name, one in args.items()}
    elif args:
        errors = [one for one in args if isinstance(one, BaseException)]
        args = tuple(_kind(one) if isinstance(one, BaseException) else one for one in args)
    if isinstance(record.msg, BaseException):
        errors.append(record.msg)
    if record.exc_info and record.exc_info[1] is not None:
        errors.append(record.exc_info[1])
    try:
        whole = str(record.msg) % args if args else str(record.msg)
    except (TypeError, ValueError, KeyError):
        # The library's message does not fit its arguments. `logging` would print the arguments.
        whole = str(record.msg)
    for error in errors:
        for text in (repr(error), str(error)):
            whole = whole.replace(text, _kind(error)) if text else whole
    return without_niks(whole.split("\n", 1)[0])


def cover() -> None:
    """From now on Python's own messages about uncaught errors and about warnings go to the log without values.

    Pydantic, for example, warns with the value of a field that has another type than its model says.
    """
    sys.excepthook = lambda kind, error, frames: _uncaught(error)
    threading.excepthook = lambda found: _uncaught(found.exc_value)
    sys.unraisablehook = lambda found: _uncaught(found.exc_value)
    warnings.showwarning = _warned


def _uncaught(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        structlog.get_logger().error("an error that nobody caught", exc_info=error)


def _warned(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
    structlog.get_logger().warning("a warning of Python", kind=category.__name__, at=f"{_named(filename)}:{lineno}")
