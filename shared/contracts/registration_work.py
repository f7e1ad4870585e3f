"""The internal steps of registration: time passing, suspicions, merging. No personal data."""

from __future__ import annotations

from shared.contracts.base import Data, Day, Regency, Sector


class RecheckDue(Data):
    """`worker.recheck-due.v1`: a birthday or the end of a verdict's validity has come."""

    worker_id: str
    registration_version: int


class SuspicionFound(Data):
    """`suspicion.found.v1`: two workers are so alike that they may be one person. `first` < `second`."""

    first: str
    second: str
    score: int
    reasons: list[str]
    regencies: list[Regency]
    villages: list[str]


class SuspicionGone(Data):
    """`suspicion.gone.v1`: a later scan no longer finds the two alike."""

    first: str
    second: str


class SuspicionStands(Data):
    """`suspicion.stands.v1`: sent to each of the two workers. `open` false: the suspicion between them is closed."""

    worker_id: str
    other: str
    open: bool
    score: int
    reasons: list[str]


class MergeWorker(Data):
    """`worker.merge.v1`: this worker turned out to be `into`."""

    worker_id: str
    into: str
    effective_on: Day


class UnmergeWorker(Data):
    """`worker.unmerge.v1`: this worker is a separate person after all."""

    worker_id: str
    out_of: str


class AbsorbedWord(Data):
    """An agency's statement about the merged worker's occupation, a code of the shipped list."""

    agency: str
    sector: Sector
    occupation: str
    said_on: Day


class AbsorbWorker(Data):
    """`worker.absorb.v1`: agencies' statements about `other` count for this worker; an empty list ends that."""

    worker_id: str
    other: str
    words: list[AbsorbedWord]
    undone: bool = False


WORK: dict[str, type[Data]] = {
    "worker.recheck-due.v1": RecheckDue,
    "suspicion.found.v1": SuspicionFound,
    "suspicion.gone.v1": SuspicionGone,
    "suspicion.stands.v1": SuspicionStands,
    "worker.merge.v1": MergeWorker,
    "worker.unmerge.v1": UnmergeWorker,
    "worker.absorb.v1": AbsorbWorker,
}
