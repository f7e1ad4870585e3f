"""Tracebacks without personal values or secrets: where an exception was raised, through which lines, of which type.

The text of an exception is left out unless it is one of our own types, whose texts are written for the operator. A
KeyError or a validation error repeats a value, and that value may be a name or a NIK. Local variables are never shown.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from shared.kernel.identity import without_niks
from shared.runtime.errors import Defect, Refused, Unavailable

_PROJECT = Path(__file__).parents[3]
_FRAMES_MAX = 30


def short(error: BaseException) -> str:
    """One line: `KeyError at services/claims/domain/decide.py:88 in decide`, the innermost line of our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if Path(one.filename).is_relative_to(_PROJECT) and ".venv" not in one.filename]
    where = ours[-1] if ours else (frames[-1] if frames else None)
    return _kind(error) if where is None else f"{_kind(error)} at {_place(where)}"


def told(error: BaseException) -> str:
    """The type, and the text when it is safe to show."""
    if isinstance(error, Refused | Unavailable | Defect):
        return f"{_kind(error)}: {without_niks(str(error))}"
    return short(error)


def lines(error: BaseException) -> list[str]:
    """The frames from the outermost to the innermost, the type, then its cause in the same form."""
    found = [_place(one) for one in traceback.extract_tb(error.__traceback__)][-_FRAMES_MAX:]
    found.append(told(error) if isinstance(error, Refused | Unavailable | Defect) else _kind(error))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        found += ["caused by", *lines(cause)[-_FRAMES_MAX:]]
    return found


def _kind(error: BaseException) -> str:
    code = getattr(error, "code", None)
    # The number of a server's error (MongoDB's 18: the login failed) says what its text would.
    return f"{type(error).__name__} {code}" if type(code) is int else type(error).__name__


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    name = path.relative_to(_PROJECT) if path.is_relative_to(_PROJECT) else Path(*path.parts[-3:])
    return f"{name}:{frame.lineno} in {frame.name}"


def processor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For structlog: replaces `exc_info` with such lines."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = lines(error)
    return event


class Formatter(logging.Formatter):
    """For the loggers of our dependencies. asyncio and others append the exception's own text after the first line of
    their message; that text is left out."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the lines of the traceback."""
        message = without_niks(record.getMessage().split("\n", 1)[0])
        said = [f"{record.levelname} {record.name} {message}"]
        if record.exc_info and record.exc_info[1] is not None:
            said += [f"  {one}" for one in lines(record.exc_info[1])]
        return "\n".join(said)
