"""How pairs of workers are stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.registration.intake.documents import RefusalCodec
from services.registration.intake.domain.state import Refusal
from services.registration.suspects.domain.state import Pair, PairDecision, PairStatus
from shared.runtime.ports import Cipher, Codec, Index

# Pairs are few, so an index by status costs little.
INDEXES: Mapping[str, Sequence[Index]] = {"suspects": (Index(fields=("state.status", "-state.score")),)}


class PairCodec:
    """Stores pairs of workers. An officer's name and reason are sealed, because the reason may name somebody."""

    def encode(self, state: Pair | Refusal, cipher: Cipher) -> dict[str, Any]:
        if isinstance(state, Refusal):
            return RefusalCodec().encode(state, cipher)
        return {
            "workers": list(state.workers),
            "regencies": list(state.regencies),
            "villages": list(state.villages),
            "status": state.status.value,
            "score": state.score,
            "reasons": list(state.reasons),
            "found_at": state.found_at,
            "kept": state.kept,
            "decisions": [
                [one.decision, cipher.seal(one.officer), cipher.seal(one.reason), one.decided_at, one.keep]
                for one in state.decisions
            ],
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Pair | Refusal:
        if "workers" not in body:
            return RefusalCodec().decode(body, cipher)
        first, second = body["workers"]
        return Pair(
            workers=(first, second),
            regencies=tuple(body["regencies"]),
            villages=tuple(body["villages"]),
            status=PairStatus(body["status"]),
            score=body["score"],
            reasons=tuple(body["reasons"]),
            found_at=body["found_at"],
            kept=body["kept"],
            decisions=tuple(
                PairDecision(
                    decision=decision,
                    officer=cipher.open(officer),
                    reason=cipher.open(reason),
                    decided_at=decided_at,
                    keep=keep,
                )
                for decision, officer, reason, decided_at, keep in body["decisions"]
            ),
        )


STORED: Mapping[str, Codec] = {"suspects": PairCodec()}
