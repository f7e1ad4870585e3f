"""The kinds of trouble that have a name here; what the input does wrong is contracts.envelope.Unreadable."""

from __future__ import annotations

from datetime import datetime


class Unavailable(Exception):
    """A server we depend on does not answer now: retried in place with backoff and a bound, then the process ends."""


class Paused(Unavailable):
    """The other side must not be asked before `until`, by any work of this kind: a quota is used up, a breaker open."""

    def __init__(self, why: str, until: datetime) -> None:
        super().__init__(why)
        self.until = until


class Defect(Exception):
    """Something that cannot be by our own rules. Never retried: the record is put aside and an alert fires."""


class Refused(Exception):
    """The service will not start in this environment; the text is the one line the operator reads."""
