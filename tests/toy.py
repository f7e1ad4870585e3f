"""The smallest possible service, for tests of the shell: counters that add amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.contracts.admission import Rule
from shared.contracts.claims import CommandRefused
from shared.kernel.decision import Address, Decision, Due, Outcome
from shared.kernel.event import Event, Intake, Routed
from shared.runtime.ports import Cipher, Reader
from shared.runtime.records import Record
from shared.runtime.spec import ServiceSpec
from shared.runtime.store.crypto import FieldCipher

CIPHER = FieldCipher({"k1": b"0" * 32})
AT = datetime(2026, 1, 5, tzinfo=UTC)
AT_MS = int(AT.timestamp() * 1000)
OUT = "claims-events"


class Add(Intake):
    """`toy.add.v1`: {counter, amount}. The amount "boom" raises an error; `due` starts due work."""


class Codec:
    """State is a plain dictionary."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return dict(state)

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        return dict(body)


def route(event: Event[Any], reference: Any) -> tuple[Routed, ...]:
    """Routes to the named counter, or to each counter of a list."""
    counters = event.data.fields["counter"]
    many = counters if isinstance(counters, list) else [counters]
    return tuple(Routed(Address("counters", str(one)), event.data) for one in many)


def decide(state: Any, event: Event[Any], facts: Any) -> Decision[Any]:
    """Adds, and publishes the sum; refuses a conflicting duplicate."""
    if event.data == "conflict":
        refused = Outcome(OUT, event.id, "refused", CommandRefused(claim_no=None, agency=None, reasons=["conflict"]))
        return Decision(state={"refused": True}, outcomes=(refused,))
    fields = event.data.fields
    if fields.get("amount") == "boom":
        raise ZeroDivisionError
    if fields.get("amount") == 0:
        return Decision(state=state, ignored="nothing-to-add")
    total = (state["sum"] if state else 0) + fields["amount"]
    said = CommandRefused(claim_no=str(total), agency=None, reasons=["x" * fields.get("size", 0)])
    due = Due(f"due-{event.id}", "call", event.at, {"n": 1}) if fields.get("due") else None
    outcome = Outcome(OUT, str(fields["counter"]), "sum", said, personal=bool(fields.get("personal")))
    return Decision(state={"sum": total}, outcomes=(outcome,), due=due)


async def _facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Any) -> Any:
    return None


async def _reference(reader: Reader, environ: Mapping[str, str]) -> Any:
    return None


ADDS = frozenset({"toy.add.v1"})
PAID = frozenset({"premium.paid.v1"})
RULES = {"toy-intake": Rule(ADDS, {"test": ADDS}), "toy-events": Rule(PAID, {"payung/billing": PAID})}
SPEC = ServiceSpec(
    name="claims",
    description="toy",
    topics=("toy-intake",),
    inputs={"toy.add.v1": Add},
    route=route,
    decide=decide,
    facts=_facts,
    stored={"counters": Codec(), "refusals": Codec()},
    indexes={},
    reference=_reference,
    conflicting=lambda event: Routed(Address("refusals", f"{event.name}|{event.content_hash}"), "conflict"),
    table=lambda topic: RULES.get(topic),
)


def record(identifier: str, *, offset: int = 0, partition: int = 0, **data: Any) -> Record:
    """One input on the toy's topic."""
    event = {"specversion": "1.0", "id": identifier, "source": "test", "type": "toy.add.v1", "data": data}
    return Record("toy-intake", partition, offset, b"k", orjson.dumps(event), (), AT_MS)


def garbage(offset: int, value: bytes | None = b"\xff{") -> Record:
    """A record that cannot be read."""
    return Record("toy-intake", 0, offset, b"k", value, (("h", b"v"),), AT_MS)
