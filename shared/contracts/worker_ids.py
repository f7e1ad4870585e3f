"""The event by which services compare their keys of worker ids. It never contains the key."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.contracts.base import Data


class WorkerIdsKeyed(Data):
    """Which key registration makes worker ids with; the latest event counts. A service that makes worker ids itself
    (claims) does not run with another key. An addition to the contract."""

    check: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{16}$",
            description="the key's check value, an HMAC of a fixed text: it shows neither the key nor a NIK",
        ),
    ]


KEYED = "worker-ids.keyed.v1"
OUTCOMES: dict[str, type[Data]] = {KEYED: WorkerIdsKeyed}
