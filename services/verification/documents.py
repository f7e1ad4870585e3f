"""How identities stand in the store; personal fields are sealed one by one. Pure, knows no driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.verification.domain.state import Identity, Refusal, Ruling, SideFacts, Status
from shared.contracts.registration import Attestation, IdentityCheckRequested
from shared.runtime.ports import Cipher, Codec, Index

_PERSONAL = ("nik", "name", "birth_date", "birth_place")
_PLAIN = ("worker_id", "regency", "sex", "district", "village", "sector", "income_base", "registration_version")

INDEXES: Mapping[str, Sequence[Index]] = {
    "identities": (Index(fields=("state.status", "state.regency"), partial={"state.status": "held"}),)
}


class IdentityCodec:
    """Identities, or the little that is known of a worker nobody has asked about."""

    def encode(self, state: Identity | SideFacts, cipher: Cipher) -> dict[str, Any]:
        """As plain and sealed fields."""
        if isinstance(state, SideFacts):
            return {"known": _side_facts(state)}
        asked = state.asked
        body: dict[str, Any] = {name: getattr(asked, name) for name in _PLAIN}
        for name in _PERSONAL:
            value = getattr(asked, name)
            if value is not None:
                body[name] = cipher.seal(value)
        body["attestations"] = [[one.agency, one.sector, one.occupation, one.attested_on] for one in asked.attestations]
        body["checked_on"] = state.checked_on
        body["status"] = state.status.value
        body["reasons"] = [str(reason) for reason in state.reasons]
        body["score"] = state.score
        body["evidence"] = list(state.evidence)
        body["sequence"] = state.sequence
        body["correlation"] = state.correlation
        body["told"] = state.told and state.told.value
        if state.ruling is not None:
            ruling = state.ruling
            # An officer's own words may name the worker or a neighbour.
            body["ruling"] = [cipher.seal(ruling.officer), cipher.seal(ruling.reason), ruling.decided_on]
        body["known"] = _side_facts(state.known)
        return body

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Identity | SideFacts:
        """From plain and sealed fields."""
        wage_earner, died_on, withdrawn = body["known"]
        known = SideFacts(wage_earner=wage_earner, died_on=died_on, withdrawn_sequence=withdrawn)
        if "status" not in body:
            return known
        fields: dict[str, Any] = {name: body[name] for name in _PLAIN}
        for name in _PERSONAL:
            if name in body:
                fields[name] = cipher.open(body[name])
        fields["attestations"] = [
            Attestation(agency=agency, sector=sector, occupation=occupation, attested_on=attested_on)
            for agency, sector, occupation, attested_on in body["attestations"]
        ]
        return Identity(
            asked=IdentityCheckRequested(**fields),
            checked_on=body["checked_on"],
            status=Status(body["status"]),
            reasons=tuple(body["reasons"]),
            score=body["score"],
            evidence=tuple(body["evidence"]),
            sequence=body["sequence"],
            correlation=body["correlation"],
            told=body["told"] and Status(body["told"]),
            ruling=_ruling(body.get("ruling"), cipher),
            known=known,
        )


def _side_facts(known: SideFacts) -> list[Any]:
    return [known.wage_earner, known.died_on, known.withdrawn_sequence]


def _ruling(sealed: Sequence[Any] | None, cipher: Cipher) -> Ruling | None:
    if sealed is None:
        return None
    officer, reason, decided_on = sealed
    return Ruling(officer=cipher.open(officer), reason=cipher.open(reason), decided_on=decided_on)


class RefusalCodec:
    """Refused commands of officers."""

    def encode(self, state: Refusal, cipher: Cipher) -> dict[str, Any]:
        """As plain fields."""
        return {"reasons": [str(reason) for reason in state.reasons]}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Refusal:
        """From plain fields."""
        return Refusal(reasons=tuple(body["reasons"]))


STORED: Mapping[str, Codec] = {"identities": IdentityCodec(), "refusals": RefusalCodec()}
