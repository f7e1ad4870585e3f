"""Writes the golden event of a new type: `python -m tests.contract.golden_events TYPE DATA`, with its data as JSON.

Golden events of released types are never written anew: later releases must still read them.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from shared.contracts import catalogue, envelope
from shared.kernel.decision import Outcome
from shared.kernel.event import Event

FOLDER = Path(__file__).parent / "golden"
CAUSE = Event(
    id="0d6f0000-0000-4000-8000-000000000001",
    source="agency/64.08/dinsos",
    type="any",
    data=None,
    at=datetime(2026, 11, 5, 1, 2, 3, tzinfo=UTC),
    topic="any",
    content_hash="",
)


def golden(kind: str, data: str) -> bytes:
    """The whole event as its service publishes it; raises ValueError for an unknown type or data that do not fit."""
    found = [(service, by_type[kind]) for service, by_type in catalogue.OUTCOMES.items() if kind in by_type]
    if not found:
        raise ValueError(f"no service publishes {kind}")
    service, model = found[0]
    outcome = Outcome("any", "key", kind, model.model_validate_json(data))
    identifier = envelope.outcome_id(service, CAUSE, "agg", kind, 0)
    return envelope.write_outcome(service, identifier, outcome, envelope.caused_by(CAUSE, 1))


def main(kind: str, data: str) -> None:
    """Writes one file; refuses to replace one."""
    path = FOLDER / f"{kind}.json"
    if path.exists():
        raise SystemExit(f"{path.name} is there already")
    path.write_bytes(golden(kind, data))


if __name__ == "__main__":
    main(*sys.argv[1:])
