"""How identities are stored; personal fields are sealed one by one. Pure, knows no driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.verification.domain.state import (
    CheckStatus,
    Found,
    Identity,
    Listed,
    Proposal,
    Refusal,
    Ruling,
    SideFacts,
)
from shared.contracts.registration import Attestation, IdentityCheckRequested
from shared.runtime.ports import Cipher, Codec, Index

_PERSONAL = ("nik", "name", "birth_date", "birth_place")
_PLAIN = ("worker_id", "regency", "sex", "district", "village", "sector", "income_base", "registration_version")
_NOWHERE = Listed()

INDEXES: Mapping[str, Sequence[Index]] = {
    "identities": (Index(fields=("state.status", "state.regency"), partial={"state.status": "held"}),)
}


class IdentityCodec:
    """Stores identities, or the side facts about a worker for whom no check was requested yet."""

    def encode(self, state: Identity | SideFacts, cipher: Cipher) -> dict[str, Any]:
        if isinstance(state, SideFacts):
            return {"known": _side_facts(state)}
        asked, seal = state.asked, cipher.seal
        body: dict[str, Any] = {
            "worker_id": asked.worker_id,
            "regency": asked.regency,
            "sex": asked.sex,
            "district": asked.district,
            "village": asked.village,
            "sector": asked.sector,
            "income_base": asked.income_base,
            "registration_version": asked.registration_version,
            "nik": seal(asked.nik),
            "name": seal(asked.name),
            "birth_date": seal(asked.birth_date),
            "attestations": [[one.agency, one.sector, one.occupation, one.attested_on] for one in asked.attestations],
            "checked_on": state.checked_on,
            "status": state.status.value,
            "reasons": [str(reason) for reason in state.reasons],
            "score": state.score,
            "evidence": list(state.evidence),
            "sequence": state.sequence,
            "correlation": state.correlation,
            "told": state.told and state.told.value,
            "known": _side_facts(state.known),
            "policy": state.policy,
        }
        if asked.birth_place is not None:
            body["birth_place"] = seal(asked.birth_place)
        if state.found is not None:
            body["found"] = [state.found.register, state.found.birth_date_matches, state.found.sex_matches]
        if state.listed != _NOWHERE:
            body["listed"] = [list(state.listed.rosters), state.listed.poverty, state.listed.poor]
        for name in ("stand_in", "give_back"):
            if getattr(state, name):
                body[name] = True
        if state.ruling is not None:
            body["ruling"] = _sealed(state.ruling, cipher)
        if state.proposal is not None:
            signed_by = cipher.seal(state.proposal.signed_by)
            body["proposal"] = [*_sealed(state.proposal.ruling, cipher), signed_by, state.proposal.verified]
        return body

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Identity | SideFacts:
        known = _known(body["known"])
        if "status" not in body:
            return known
        return Identity(
            asked=_asked(body, cipher),
            checked_on=body["checked_on"],
            status=CheckStatus(body["status"]),
            reasons=tuple(body["reasons"]),
            score=body["score"],
            evidence=tuple(body["evidence"]),
            sequence=body["sequence"],
            correlation=body["correlation"],
            told=body["told"] and CheckStatus(body["told"]),
            ruling=_ruling(body.get("ruling"), cipher),
            proposal=_proposal(body.get("proposal"), cipher),
            policy=body.get("policy", ""),
            found=_found(body.get("found")),
            listed=_listed(body.get("listed")),
            stand_in=body.get("stand_in", False),
            give_back=body.get("give_back", False),
            known=known,
        )


def _asked(body: Mapping[str, Any], cipher: Cipher) -> IdentityCheckRequested:
    fields: dict[str, Any] = {name: body[name] for name in _PLAIN}
    for name in _PERSONAL:
        if name in body:
            fields[name] = cipher.open(body[name])
    fields["attestations"] = [
        Attestation(agency=agency, sector=sector, occupation=occupation, attested_on=attested_on)
        for agency, sector, occupation, attested_on in body["attestations"]
    ]
    return IdentityCheckRequested(**fields)


def _side_facts(known: SideFacts) -> list[Any]:
    suspicion = [known.suspected, known.suspicion_sequence] if known.suspicion_sequence else []
    return [known.wage_earner, known.died_on, known.withdrawn_sequence, *suspicion]


def _known(saved: Sequence[Any]) -> SideFacts:
    wage_earner, died_on, withdrawn, *suspicion = saved
    suspected, sequence = suspicion or (False, 0)
    return SideFacts(
        wage_earner=wage_earner,
        died_on=died_on,
        withdrawn_sequence=withdrawn,
        suspected=suspected,
        suspicion_sequence=sequence,
    )


def _sealed(ruling: Ruling, cipher: Cipher) -> list[Any]:
    # Officer and reason are sealed, because an officer's own words may name the worker or a neighbour.
    return [cipher.seal(ruling.officer), cipher.seal(ruling.reason), ruling.decided_on]


def _ruling(sealed: Sequence[Any] | None, cipher: Cipher) -> Ruling | None:
    if sealed is None:
        return None
    officer, reason, decided_on = sealed
    return Ruling(officer=cipher.open(officer), reason=cipher.open(reason), decided_on=decided_on)


def _proposal(sealed: Sequence[Any] | None, cipher: Cipher) -> Proposal | None:
    ruling = _ruling(sealed[:3], cipher) if sealed is not None else None
    if sealed is None or ruling is None:
        return None
    return Proposal(ruling=ruling, signed_by=cipher.open(sealed[3]), verified=sealed[4])


def _found(saved: Sequence[Any] | None) -> Found | None:
    if saved is None:
        return None
    register, birth_date, sex = saved
    return Found(register=register, birth_date_matches=birth_date, sex_matches=sex)


def _listed(saved: Sequence[Any] | None) -> Listed:
    if saved is None:
        return _NOWHERE
    rosters, poverty, poor = saved
    return Listed(rosters=tuple(rosters), poverty=poverty, poor=poor)


class RefusalCodec:
    """Stores refused commands of officers."""

    def encode(self, state: Refusal, cipher: Cipher) -> dict[str, Any]:
        return {"reasons": [str(reason) for reason in state.reasons]}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Refusal:
        return Refusal(reasons=tuple(body["reasons"]))


STORED: Mapping[str, Codec] = {"identities": IdentityCodec(), "refusals": RefusalCodec()}
