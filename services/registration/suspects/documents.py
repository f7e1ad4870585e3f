"""How pairs of workers are stored. An officer's name and reason are sealed: the reason may name somebody. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.intake.domain.state import Refusal
from services.registration.suspects.domain.state import Pair, PairDecision
from shared.runtime.codecs import Codecs, row
from shared.runtime.ports import Codec, Index

# Pairs are few, so an index by status costs little.
INDEXES: Mapping[str, Sequence[Index]] = {"suspects": (Index(fields=("state.status", "-state.score")),)}
CODECS = Codecs(row(PairDecision))
STORED: Mapping[str, Codec] = {"suspects": CODECS.either(Pair, Refusal, tell="workers")}
