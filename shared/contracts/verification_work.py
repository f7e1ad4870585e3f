"""The internal steps of verification, without personal data: Dukcapil's answers, and facts from loaded lists."""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import Data, Day

RegisterStatus = Literal["alive", "deceased", "double", "inactive", "not-found", "malformed"]


class DukcapilAnswered(Data):
    """`dukcapil.answered.v1`: `score` compares the name, 0 to 100; the match fields are null when there was nothing to
    compare.

    `evidence` names the register that answered: the snapshot when the policy allows it instead of Dukcapil.
    """

    worker_id: str
    registration_version: int
    status: RegisterStatus
    score: int | None = None
    birth_date_matches: bool | None = None
    sex_matches: bool | None = None
    resident: bool | None = None
    evidence: str = "dukcapil"


class GivenBack(Data):
    """`dukcapil.given-back.v1`: Dukcapil has received the report on how its data was used ("data balikan")."""

    worker_id: str
    registration_version: int


class SourceChanged(Data):
    """`source.changed.v1`: a newly loaded list has a fact about a worker that ends or holds a verdict, or that a held
    case waited for.

    `register`: the loaded population has a living person, so a held case can be judged again.
    """

    worker_id: str
    regency: str = ""
    change: Literal["deceased", "double", "inactive", "outside", "wage-earner", "state-employee", "poverty", "register"]
    version: str
    effective_on: Day | None = None


WORK: dict[str, type[Data]] = {
    "dukcapil.answered.v1": DukcapilAnswered,
    "dukcapil.given-back.v1": GivenBack,
    "source.changed.v1": SourceChanged,
}
