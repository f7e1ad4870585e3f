"""The part of the audit that knows no HTTP: how a line names a person, and which commands a service refused."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import orjson
import structlog

from shared.contracts import officers, topics
from shared.runtime.fold import SavedOutcome

log = structlog.get_logger()
_FINGERPRINT = 12
_REFUSED = ".refused.v1"


def fingerprint(subject: str) -> str:
    """A fingerprint that stands for a person in the log."""
    return hashlib.sha256(subject.encode()).hexdigest()[:_FINGERPRINT]


def commands_refused(outcomes: Sequence[SavedOutcome]) -> None:
    """Writes which commands of treasuries and officers a service refused, for example for another regency. A line for
    each sender, kind and reason; refused rows of an agency's list are answered to the agency instead."""
    found: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for one in outcomes:
        if not one.type.endswith(_REFUSED):
            continue
        event = orjson.loads(one.value)
        source = event.get("causationsource", "")
        if topics.agency_of_source(source) is None:
            found[one.type, _speaker(source), tuple(event["data"].get("reasons", ()))] += 1
    for (kind, speaker, codes), count in found.items():
        log.warning("audit", what="command refused", type=kind, speaker=speaker, codes=list(codes), records=count)


def _speaker(source: str) -> str:
    """A source as it may be logged: an officer's name is written as its fingerprint."""
    name = officers.name_of(source)
    return source if name is None else f"{topics.OFFICER}{fingerprint(name)}"
