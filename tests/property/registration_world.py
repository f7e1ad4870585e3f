"""A small world for registration: its real route, codecs and decide over a dictionary, saved and loaded each time.

Uses no Kafka and no MongoDB. The shell handles redelivery, so this world has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from services.registration.domain import decide
from services.registration.domain.decide import Facts
from services.registration.intake.domain.state import Reference
from services.registration.stream import SPEC
from shared.contracts.registration import COMMANDS, IdentityCheckRequested
from shared.contracts.verification import OUTCOMES as VERDICTS
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event
from shared.kernel.identity import worker_id
from shared.reference import areas
from tests.toy import CIPHER

KEY = bytes(range(32))
REFERENCE = Reference(areas.load(), KEY)
FACTS = Facts(precedence=REFERENCE.precedence)
# 31 January 2026, 23:30 UTC is 1 February in WITA.
AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
NIK = "6408044107850002"
WORKER = worker_id(KEY, NIK)
# The required fields (docs/contracts.md#workers-and-their-forms).
FORM: Mapping[str, Any] = {
    "submission_id": "SUB-1",
    "nik": NIK,
    "name": "SITI AMINAH",
    "birth_date": "1985-07-01",
    "sex": "F",
    "village": "64.08.04.2001",
    "sector": "fisheries",
    "occupation": "nelayan",
    "consent": {"given_at": "2026-01-04", "method": "form"},
}
PERSONAL: Mapping[str, Any] = {
    "birth_place": "Sangatta",
    "mother_name": "Halimah",
    "phone": "+62812000111",
    "address": "RT 003 Gang Buntu",
    "heir": {"name": "Rahmat Hidayat", "relation": "spouse", "phone": "+62812000222"},
}


def intake(kind: str, data: Any, agency: str = "64.08/dinsos", event_id: str = "e1") -> Event:
    """An agency's event as the shell reads it; `data` that are no object come with their problem."""
    model = COMMANDS[kind]
    regency, name = agency.split("/")
    return Event(
        id=event_id,
        source=f"agency/{agency}",
        type=kind,
        data=model(data) if isinstance(data, Mapping) else model({}, "data is no JSON object"),
        at=AT,
        topic=f"registration-intake-{regency.replace('.', '')}-{name}",
        content_hash="hash",
    )


@dataclass(slots=True)
class World:
    """The documents, and all outcomes."""

    documents: dict[Address, dict[str, Any]] = field(default_factory=dict)
    said: list[Outcome] = field(default_factory=list)
    versions: dict[Address, int] = field(default_factory=dict)
    steps: list[Event] = field(default_factory=list)
    events: int = 0
    at: datetime = AT
    facts: Facts = FACTS

    def take(self, event: Event) -> Decision[Any]:
        """Routes, loads, decides and saves one input."""
        (routed,) = SPEC.route(event, REFERENCE)
        codec = SPEC.stored[routed.address.collection]
        body = self.documents.get(routed.address)
        state = codec.decode(body, CIPHER) if body is not None else None
        part = event.with_data(routed.data)
        made = decide.decide(state, part, self.facts)
        assert made == decide.decide(state, part, self.facts)
        if made.state is None:
            assert made.outcomes == ()
        else:
            self.documents[routed.address] = codec.encode(made.state, CIPHER)
            assert codec.decode(self.documents[routed.address], CIPHER) == made.state
        self.said.extend(made.outcomes)
        version = self.versions[routed.address] = self.versions.get(routed.address, 0) + 1
        for number, one in enumerate(made.outcomes):
            if one.topic == "registration-work":
                self.steps.append(self.step(one.type, one.data, f"{event.id}/{number}", version))
        return made

    def step(self, kind: str, data: Any, name: str, sequence: int | None = None) -> Event:
        """An event of registration's own work topic."""
        return Event(
            id=name,
            source="payung/registration",
            type=kind,
            data=data,
            at=self.at,
            topic="registration-work",
            content_hash="hash",
            sequence=sequence,
        )

    def settle(self) -> list[Any]:
        """Takes the steps on the work topic until none is left. Returns their outcomes."""
        lines: list[Any] = []
        while self.steps:
            lines += shown(self.take(self.steps.pop(0)))
        return lines

    def send(self, kind: str, agency: str = "64.08/dinsos", /, **data: Any) -> list[Any]:
        """Takes an agency's event. Returns the data of its outcomes, by type."""
        self.events += 1
        fields = {"submission_id": f"S{self.events}", "nik": NIK, **data}
        event = replace(intake(f"worker.{kind}.v1", fields, agency, f"e{self.events}"), at=self.at)
        return shown(self.take(event))

    def register(self, agency: str = "64.08/dinsos", /, **changes: Any) -> list[Any]:
        """Registers with a full form."""
        return self.send("register", agency, **{**FORM, "submission_id": f"S{self.events + 1}", **changes})

    def verdict(self, kind: str, version: int = 1, *reasons: str) -> list[Any]:
        """Verification's verdict on the worker."""
        self.events += 1
        model: Any = VERDICTS[f"identity.{kind}.v1"]
        where = {"worker_id": WORKER, "regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001"}
        who = {"sector": "fisheries", "sex": "F", "birth_month": "1985-07", "registration_version": version}
        good = {"income_base": 1, "segment": "BPU", "evidence": [], "score": 100, "valid_until": "2027-01-01"}
        data = model.model_validate({**where, **who, **good, "reasons": list(reasons), "effective_on": "2026-02-01"})
        return shown(
            self.take(
                Event(
                    id=f"v{self.events}",
                    source="payung/verification",
                    type=f"identity.{kind}.v1",
                    data=data,
                    at=self.at,
                    topic="verification-events",
                    content_hash="hash",
                )
            )
        )

    def checks(self) -> list[IdentityCheckRequested]:
        """Every requested check."""
        return [one.data for one in self.said if isinstance(one.data, IdentityCheckRequested)]


def shown(made: Decision[Any]) -> list[Any]:
    """The outcomes of a decision as a reader of the topics sees them, one short line each."""
    lines = []
    for one in made.outcomes:
        data: Any = one.data
        if one.type == "submission.answered.v1":
            lines.append(" ".join((one.topic[9:], data.outcome, *data.reasons, *(f"!{w}" for w in data.warnings))))
        elif one.type == "submission.settled.v1":
            lines.append(" ".join((one.topic[9:], data.submission_id, "is", data.identity, *data.reasons)))
        elif one.type == "identity.check-requested.v1":
            lines.append(f"check {data.registration_version}")
        else:
            lines.append(one.type.removesuffix(".v1"))
    return lines
