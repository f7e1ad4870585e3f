"""The toy of tests/toy.py as a process of its own, called claims: it reads two agencies' topics and its own work topic.

PAYUNG_TEST_MENDED makes it the next release, which accepts the inputs at which this release fails. PAYUNG_TEST_HANGS
makes it hang at each record: an await never returns (`await`), or a computation never ends (`loop`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from shared.contracts import topics
from shared.contracts.admission import Rule
from shared.kernel.decision import Decision
from shared.kernel.event import Event
from shared.runtime import app
from shared.runtime.kafka import publisher
from shared.runtime.ops import health
from shared.runtime.ports import Reader
from tests import toy

AGENCIES = ("64.99/satu", "64.99/dua")


def table(topic: str) -> Rule | None:
    """The toy's command, from each agency on its own topic, and from the toy itself on its work topic."""
    agency = topics.agency_of_topic(topic)
    source = "payung/claims" if agency is None else f"agency/{agency[0]}/{agency[1]}"
    return Rule(toy.ADDS, {source: toy.ADDS})


def mended(state: Any, event: Event[Any], facts: Any) -> Decision[Any]:
    """Reads "boom" as a hundred."""
    fields = dict(event.data.fields)
    if fields.get("amount") == "boom":
        fields["amount"] = 100
    return toy.decide(state, event.with_data(toy.Add(fields)), facts)


async def hanging(reader: Reader, routed: Sequence[Any], reference: Any) -> Any:
    """Never returns."""
    while HANGS == "loop":
        pass
    await asyncio.Event().wait()


HANGS = os.environ.get("PAYUNG_TEST_HANGS")
SPEC = dataclasses.replace(
    toy.SPEC,
    facts=hanging if HANGS else toy.SPEC.facts,
    topics=("^claims-intake-6499-", "claims-work"),
    table=table,
    decide=mended if "PAYUNG_TEST_MENDED" in os.environ else toy.decide,
)

if __name__ == "__main__":
    # When the broker refuses a dead letter, the process ends within seconds instead of two minutes.
    app.RETRY_BUDGET_S = 3.0
    publisher.PUBLISH_TIMEOUT_S = 3.0
    if HANGS:
        health.STUCK_AFTER_S, health.GIVE_UP_AFTER_S, app.BLOCKED_AFTER_S = 1.0, 5.0, 6.0
    app.main(SPEC)
