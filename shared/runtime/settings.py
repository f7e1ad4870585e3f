"""The environment variables of Payung: the form of each, read in one way.

A module declares its variables as `Setting` objects and reads them with `of`. An empty value counts as not set. A value
of another form raises StartRefused with one line: the variable, the expected form, and the value unless it is a secret.
The shell checks all variables of a service before it connects to anything (`check`). docs/configuration.md is generated
from the same objects (payung/configuration.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from shared.runtime.errors import StartRefused

_SHOWN_MAX = 40
# Grammars of our own: `int` and `float` also take `1_000`, `١` and `nan`.
_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?|\.[0-9]{1,9}")
_INSTANCE = re.compile(r"[A-Za-z0-9._-]{1,100}")
_YES, _NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable. `about`: what it does. `usual`: the default, in words when the code finds it; empty means none."""

    name: str
    about: str
    usual: str = ""
    secret: bool = False

    form: ClassVar[str] = "text"

    def shape(self) -> str:
        """The expected form in words, as in `PAYUNG_HTTP_PORT is a whole number from 1 to 65535`."""
        return self.form

    def fits(self, text: str) -> bool:
        """Whether a value that is not empty has this form."""
        return True

    def text(self, environ: Mapping[str, str]) -> str:
        """The value without surrounding blanks; empty when it is not set. Raises StartRefused for another form."""
        given = environ.get(self.name, "").strip()
        if given and not self.fits(given):
            raise self.refused(given)
        return given

    def refused(self, given: str) -> StartRefused:
        """The line that says what is expected."""
        # An address may hold a password.
        shown = "" if self.secret or "@" in given else f"; got {_shortened(given)}"
        return StartRefused(f"{self.name} is {self.shape()}{shown}")


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")


@dataclass(frozen=True, slots=True)
class Text(Setting):
    """Any text."""

    form: ClassVar[str] = "text"


@dataclass(frozen=True, slots=True)
class File(Setting):
    """A path; the module that reads the file says what is wrong with it."""

    form: ClassVar[str] = "the path of a file or folder"


@dataclass(frozen=True, slots=True)
class ProcessName(Setting):
    """A name of a process, which Kafka takes as a member's name."""

    form: ClassVar[str] = "a name of at most 100 letters, digits and . _ -"

    def fits(self, text: str) -> bool:
        """See `Setting.fits`."""
        return _INSTANCE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Integer(Setting):
    """A whole number within bounds; a default of the code is given as `default`."""

    least: int = 0
    most: int = 10**18 - 1
    default: int | None = None

    def shape(self) -> str:
        """See `Setting.shape`."""
        return f"a whole number from {self.least} to {self.most}"

    def fits(self, text: str) -> bool:
        """See `Setting.fits`."""
        return _WHOLE.fullmatch(text) is not None and self.least <= int(text) <= self.most

    def optional(self, environ: Mapping[str, str]) -> int | None:
        """The number; the default when it is not set, None without a default."""
        given = self.text(environ)
        return int(given) if given else self.default

    def of(self, environ: Mapping[str, str]) -> int:
        """The number of a variable that has a default."""
        found = self.optional(environ)
        assert found is not None, f"{self.name} has no default"
        return found


@dataclass(frozen=True, slots=True)
class Number(Setting):
    """A number that may have a fraction, within bounds."""

    least: float = 0.0
    most: float = 1e9
    default: float = 0.0

    def shape(self) -> str:
        """See `Setting.shape`."""
        return f"a number from {self.least:g} to {self.most:.0f}, with a point before the fraction"

    def fits(self, text: str) -> bool:
        """See `Setting.fits`."""
        return _NUMBER.fullmatch(text) is not None and self.least <= float(text) <= self.most

    def of(self, environ: Mapping[str, str]) -> float:
        """The number, or the default."""
        given = self.text(environ)
        return float(given) if given else self.default


@dataclass(frozen=True, slots=True)
class Choice(Setting):
    """One of some words, in small letters."""

    words: tuple[str, ...] = ()

    def shape(self) -> str:
        """See `Setting.shape`."""
        return f"one of {', '.join(self.words)}" if len(self.words) > 1 else f"{self.words[0]}, or not set"

    def fits(self, text: str) -> bool:
        """See `Setting.fits`."""
        return text in self.words

    def of(self, environ: Mapping[str, str]) -> str:
        """The word; the default when it is not set."""
        return self.text(environ) or self.usual


@dataclass(frozen=True, slots=True)
class YesNo(Setting):
    """yes or no; not set means no."""

    form: ClassVar[str] = "yes or no"

    def fits(self, text: str) -> bool:
        """See `Setting.fits`."""
        return text.lower() in _YES | _NO

    def of(self, environ: Mapping[str, str]) -> bool:
        """Whether it says yes."""
        return self.text(environ).lower() in _YES


@dataclass(frozen=True, slots=True)
class Url(Setting):
    """An address of an HTTP service. `word`: a word that may stand in its place."""

    word: str = ""

    def shape(self) -> str:
        """See `Setting.shape`."""
        return "an http or https address" + (f", or {self.word}" if self.word else "")

    def fits(self, text: str) -> bool:
        """See `Setting.fits`."""
        return text == self.word or _is_address(text)

    def of(self, environ: Mapping[str, str]) -> str:
        """The address without a slash at its end; the default when it is not set."""
        return (self.text(environ) or self.usual).rstrip("/")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # `port` raises ValueError for a port that is no number.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Hosts(Setting):
    """Brokers: HOST:PORT, several with commas."""

    form: ClassVar[str] = "HOST:PORT, several with commas"

    def fits(self, text: str) -> bool:
        """See `Setting.fits`."""
        return all(_is_host(one.strip()) for one in text.split(","))


def _is_host(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(host and colon) and " " not in host and _WHOLE.fullmatch(port) is not None and 0 < int(port) < 65536


def check(known: Iterable[Setting], environ: Mapping[str, str]) -> None:
    """Raises StartRefused for the first variable whose value has another form."""
    for one in known:
        one.text(environ)
