"""Stored documents keep their shape: earlier releases wrote them, and an unchanged field is not written again.

`tests/cases/documents` holds what every state is stored as, and what documents of earlier releases are read as. A file
changes only together with a step of the store's schema, or when a new field is added. `python -m
tests.unit.test_stored_documents` writes the files anew.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from services.claims.domain.state import ClaimStatus
from services.registration.workers.domain.state import Heir, Worker
from shared.contracts.base import Day, Period, Regency
from shared.runtime.spec import ServiceSpec
from tests.states import STATES, Filler, Marker

CASES = Path(__file__).parents[1] / "cases" / "documents"
SERVICES = sorted({name for name, _, _ in STATES})
CIPHER = Marker()

# Fields that documents of earlier releases lack, by service and collection.
LACKING: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("claims", "runs"): ("seen", "correlation"),
    ("claims", "claims"): ("days_off_work", "lasting", "levels", "seen"),
    ("claims", "deaths"): ("died_on", "uses", "paid", "waiting", "changes"),
    ("verification", "identities"): ("policy",),
    ("billing", "enrolments"): ("valid_until",),
    ("billing", "runs"): ("barred", "edition", "asked"),
    ("registration", "workers"): ("opened_on",),
    ("registration", "employments"): ("subsidised",),
    ("registration", "stickers"): ("installed_on", "installed_for"),
    ("reporting", "registrations"): ("since",),
    ("reporting", "identities"): ("deceased_on",),
    ("reporting", "runs"): ("missed",),
    ("reporting", "claims"): ("worker_id",),
    ("reporting", "risks"): ("invoice_id",),
    ("reporting", "budgets"): ("past",),
}


# Texts that the patterns of the contracts accept.
VALID = ((Day, "2026-01-05"), (Period, "2026-01"), (Regency, "64.08"))


def _text(kind: type, name: str, hint: Any) -> str:
    """A text for a field: its name, or a valid one where its type has a pattern."""
    rules = getattr(hint, "__metadata__", ())
    return next((text for valid, text in VALID if get_args(valid)[1] in rules), name)


HEIR = Heir(name="Rahmat", relation="spouse", phone=None)
FILLERS = {"filled": Filler(_text, ("heir", HEIR)), "bare": Filler(_text, ("name", "Siti"), bare=True)}
# The statements of agencies about a worker: a value is sealed when its field is personal.
SAID = {"said in clear": Filler(_text, ("sex", "F")), "unsaid": Filler(_text, ("address", None))}


def _states(service: str) -> Iterator[tuple[str, str, Any]]:
    """(collection, label, state) of every state of a service; classes by number, as their names do not matter."""
    seen: dict[str, int] = {}
    for _, collection, kind in (one for one in STATES if one[0] == service):
        number = seen[collection] = seen.get(collection, 0) + 1
        for name, filler in (FILLERS | SAID if kind is Worker else FILLERS).items():
            state = filler.state(kind)
            yield collection, f"{number} {name}", state
            yield from ((collection, f"{number} {name}, {label}", one) for label, one in _variants(service, state))


def _variants(service: str, state: Any) -> Iterator[tuple[str, Any]]:
    """States for the cases that one value of each type does not cover."""
    name = type(state).__name__
    if (service, name) == ("claims", "Claim"):
        yield "registered", replace(state, status=ClaimStatus.REGISTERED)
    if (service, name) == ("billing", "Run"):
        yield "barred in no order", replace(state, barred={"b": 1, "a": 2})
    if (service, name) == ("verification", "SideFacts"):
        yield "never suspected", replace(state, suspicion_sequence=0, suspected=False)
        yield "suspected no more", replace(state, suspicion_sequence=3, suspected=False)


def _older(service: str, collection: str, stored: Any) -> Iterator[tuple[str, Any]]:
    """This document as earlier releases stored it."""
    lacking = LACKING.get((service, collection), ())
    if lacking and any(one in stored for one in lacking):
        yield "older", {name: value for name, value in stored.items() if name not in lacking}
    yield from _older_parts(service, collection, deepcopy(stored))


def _older_parts(service: str, collection: str, stored: Any) -> Iterator[tuple[str, Any]]:
    """Documents with parts that earlier releases stored in another form."""
    where = (service, collection)
    if where == ("claims", "deaths"):
        yield "older school years", {**stored, "school": [row[:2] for row in stored["school"]]}
    if where == ("billing", "enrolments"):
        body = {name: value for name, value in stored.items() if name != "verdicts"}
        yield "older verdict", {**body, "registration_version": 2, "sequence": 7, "standing": "verified"}
        yield "older without verdict", {**body, "standing": "unseen"}
        yield "older row", {**stored, "verdicts": [row[:5] for row in stored["verdicts"]]}
    if where == ("billing", "runs") and stored["stop"]:
        stop = {name: value for name, value in stored["stop"].items() if name != "barred"}
        yield "older stop", {**stored, "stop": stop}
    if where == ("registration", "projects"):
        terms = {name: value for name, value in stored["terms"].items() if name != "contractor_key"}
        yield "older terms", {**stored, "terms": terms}
    if where == ("registration", "workers") and "form" in stored:
        yield "older verdict", {**stored, "verdict": ["verified", ["no-match"], 2]}
        yield "older words", {**stored, "words": [row[:6] for row in stored["words"]]}
        if "said" in stored:
            yield "older statements", {**stored, "said": [row[:5] for row in stored["said"]]}
            past = [[at, [row[:2] for row in was]] for at, was in stored["history"]]
            yield "older changes", {**stored, "history": past}


def _plain(stored: Any) -> Any:
    """A document as JSON: sealed values and times say what they are."""
    if isinstance(stored, bytes):
        return {"sealed": stored.decode()}
    if isinstance(stored, datetime):
        return {"time": stored.isoformat()}
    if isinstance(stored, Mapping):
        return {key: _plain(value) for key, value in stored.items()}
    assert not isinstance(stored, tuple), "a loaded list would differ from it, so the field would be written again"
    return [_plain(one) for one in stored] if isinstance(stored, list) else stored


def recorded(service: str) -> dict[str, dict[str, Any]]:
    """What the states of a service are stored as, by collection and label."""
    spec: ServiceSpec = importlib.import_module(f"services.{service}.stream").SPEC
    found: dict[str, dict[str, Any]] = {}
    for collection, label, state in _states(service):
        codec = spec.stored[collection]
        stored = codec.encode(state, CIPHER)
        found.setdefault(collection, {})[label] = _plain(stored)
        for older, body in _older(service, collection, stored):
            found[collection][f"{label}, {older}"] = _plain(codec.encode(codec.decode(body, CIPHER), CIPHER))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_states_are_stored_in_the_recorded_form(service: str) -> None:
    assert recorded(service) == json.loads((CASES / f"{service}.json").read_text())


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_stored_is_read_back(service: str) -> None:
    spec: ServiceSpec = importlib.import_module(f"services.{service}.stream").SPEC
    for collection, _, state in _states(service):
        codec = spec.stored[collection]
        assert codec.decode(codec.encode(state, CIPHER), CIPHER) == state


def _written(found: Mapping[str, Mapping[str, Any]]) -> str:
    """One document a line."""
    lines = [
        f"{json.dumps(collection)}: {{\n"
        + ",\n".join(f" {json.dumps(label)}: {json.dumps(one, sort_keys=True)}" for label, one in documents.items())
        + "\n}"
        for collection, documents in found.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    CASES.mkdir(exist_ok=True)
    for one in SERVICES:
        (CASES / f"{one}.json").write_text(_written(recorded(one)), encoding="utf-8")
