"""The internal step of verification: what Dukcapil answered, without any personal data."""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import Data

RegisterStatus = Literal["alive", "deceased", "double", "inactive", "not-found", "malformed"]


class DukcapilAnswered(Data):
    """`dukcapil.answered.v1`: `score` is the name's, 0 to 100; the matches are null when there was nothing to match."""

    worker_id: str
    registration_version: int
    status: RegisterStatus
    score: int | None = None
    birth_date_matches: bool | None = None
    sex_matches: bool | None = None


WORK: dict[str, type[Data]] = {"dukcapil.answered.v1": DukcapilAnswered}
