"""How identities are stored; personal fields are sealed one by one. Pure, knows no driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.verification.domain.state import Identity, Listed, Proposal, Refusal, RegisterAnswer, Ruling, SideFacts
from shared.contracts.registration import Attestation, IdentityCheckRequested
from shared.runtime.codecs import Codecs, record, row
from shared.runtime.ports import Cipher, Codec, Index

INDEXES: Mapping[str, Sequence[Index]] = {
    "identities": (Index(fields=("state.status", "state.regency"), partial={"state.status": "held"}),)
}


@dataclass(frozen=True, slots=True)
class Unasked:
    """The document of a worker for whom no check was requested yet."""

    known: SideFacts


CODECS = Codecs(
    # The request stands among the fields of the identity, so that the indexes name its fields shortly.
    record(
        Identity,
        inline=("asked",),
        seldom=("found", "listed", "stand_in", "give_back", "ruling", "proposal"),
        later=("policy",),
    ),
    record(IdentityCheckRequested, seldom=("birth_place",)),
    row(Attestation),
    row(SideFacts, seldom=("suspected", "suspicion_sequence")),
    row(Listed),
    row(RegisterAnswer),
    row(Ruling),
    row(Proposal, inline=("ruling",)),
)


class IdentityCodec:
    """Stores identities, or the side facts about a worker for whom no check was requested yet."""

    _either = CODECS.either(Identity, Unasked, tell="status")

    def encode(self, state: Identity | SideFacts, cipher: Cipher) -> dict[str, Any]:
        return self._either.encode(Unasked(state) if isinstance(state, SideFacts) else state, cipher)

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Identity | SideFacts:
        state: Identity | Unasked = self._either.decode(body, cipher)
        return state.known if isinstance(state, Unasked) else state


STORED: Mapping[str, Codec] = {"identities": IdentityCodec(), "refusals": CODECS.of(Refusal)}
