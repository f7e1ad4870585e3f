"""The three kinds of trouble, and nothing else is caught by name: the world's, the input's, ours."""

from __future__ import annotations


class Unavailable(Exception):
    """A server we depend on does not answer now: retried in place with backoff and a bound, then the process ends."""


class BadInput(Exception):
    """One record cannot be read at all: it goes to the dead-letter topic with its original bytes."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Defect(Exception):
    """Something that cannot be by our own rules. Never retried: the record is put aside and an alert fires."""


class Refused(Exception):
    """The service will not start in this environment; the text is the one line the operator reads."""
