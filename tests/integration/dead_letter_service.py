"""The toy of tests/toy.py as a process of its own, called claims: it reads two agencies' topics and its own work topic.

With PAYUNG_TEST_MENDED it is the next release, which can take what made this one fail.
"""

from __future__ import annotations

import dataclasses
import os
from datetime import datetime
from typing import Any

from shared.kernel.decision import Decision
from shared.kernel.event import Event
from shared.runtime import app, kafka
from tests import toy

AGENCIES = ("64.99/satu", "64.99/dua")


def mended(state: Any, event: Event, facts: Any, now: datetime) -> Decision[Any]:
    """Takes "boom" for a hundred."""
    fields = dict(event.data.fields)
    if fields.get("amount") == "boom":
        fields["amount"] = 100
    return toy.decide(state, event.with_data(toy.Add(fields)), facts, now)


SPEC = dataclasses.replace(
    toy.SPEC,
    topics=("^claims-intake-6499-", "claims-work"),
    decide=mended if "PAYUNG_TEST_MENDED" in os.environ else toy.decide,
)

if __name__ == "__main__":
    # A broker that does not take a dead letter ends the process within seconds instead of two minutes.
    app.RETRY_BUDGET_S = 3.0
    kafka.PUBLISH_TIMEOUT_S = 3.0
    app.main(SPEC)
