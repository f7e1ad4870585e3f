"""The named kinds of trouble. Faults of an input itself are contracts.envelope.Unreadable."""

from __future__ import annotations

from datetime import datetime


class Unavailable(Exception):
    """A server we depend on does not answer now: retried in place with backoff for a limited time, then the process
    ends."""


class Paused(Unavailable):
    """The other system must not be called before `until` by any work of this kind: a quota is used up or a breaker is
    open."""

    def __init__(self, why: str, until: datetime) -> None:
        super().__init__(why)
        self.until = until


class Defect(Exception):
    """Something that is impossible by our own rules. Never retried: the record is put aside and an alert fires."""


class StartRefused(Exception):
    """The service does not start in this environment; the text is the one line that the operator reads."""
