"""How claims' aggregates stand in the store; claimants, accounts and children are sealed. Pure, knows no driver."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from services.claims.domain.state import (
    Child,
    Claim,
    Claimant,
    CompletedRun,
    Cover,
    Death,
    Details,
    PaidInvoice,
    Refusal,
    Status,
    Wake,
)
from shared.contracts.base import BenefitLine
from shared.runtime.ports import Cipher, Codec, Index

Body = dict[str, Any]

INDEXES: Mapping[str, Sequence[Index]] = {
    "covers": (Index(fields=("state.worker_id",)), Index(fields=("state.run_id",))),
    "runs": (Index(fields=("state.regency", "state.period")),),
    "claims": (Index(fields=("state.waiting",), partial={"state.waiting": {"$exists": True}}),),
}
_PLAIN = (
    "regency",
    "agency",
    "claim_no",
    "worker_id",
    "kind",
    "event_date",
    "cause",
    "submitted_on",
    "looks",
    "officer",
    "district",
    "sex",
    "approved_on",
    "payments",
    "reference",
    "paid_on",
)


class CoverCodec:
    """Covers: millions of small documents, one insert each."""

    def encode(self, state: Cover, cipher: Cipher) -> Body:
        """As plain fields."""
        return {
            "worker_id": state.worker_id,
            "period": state.period,
            "regency": state.regency,
            "district": state.district,
            "sex": state.sex,
            "run_id": state.run_id,
            "invoice_id": state.invoice_id,
            "base": state.base,
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Cover:
        """From plain fields."""
        return Cover(**body)


class ClaimCodec:
    """Claims; a refused command may stand where a claim may come."""

    def encode(self, state: Claim | Refusal, cipher: Cipher) -> Body:
        """As plain and sealed fields."""
        if isinstance(state, Refusal):
            return RefusalCodec().encode(state, cipher)
        body: Body = {name: getattr(state, name) for name in _PLAIN}
        details = state.details
        body |= {
            "status": state.status.value,
            "reasons": [str(reason) for reason in state.reasons],
            "missing": list(state.missing),
            "documents": list(state.documents),
            "benefits": [[line.benefit, line.amount, line.rule] for line in state.benefits],
            "details": {
                "result": details.result,
                "days_off_work": details.days_off_work,
                "loss_percent": details.loss_percent,
                "transport": [list(one) for one in details.transport],
                "treatment_cost": details.treatment_cost,
                "children": [cipher.seal(json.dumps(asdict(child))) for child in details.children],
            },
            "claimant": {
                "name": cipher.seal(state.claimant.name),
                "relation": state.claimant.relation,
                "account": cipher.seal(state.claimant.account),
            },
        }
        if state.waiting is not None:
            body["waiting"] = state.waiting
        return body

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Claim | Refusal:
        """From plain and sealed fields."""
        if "details" not in body:
            return RefusalCodec().decode(body, cipher)
        details, claimant = body["details"], body["claimant"]
        fields = {name: body[name] for name in _PLAIN}
        return Claim(
            **fields,
            status=Status(body["status"]),
            reasons=tuple(body["reasons"]),
            missing=tuple(body["missing"]),
            documents=tuple(body["documents"]),
            benefits=tuple(BenefitLine(benefit=b, amount=amount, rule=rule) for b, amount, rule in body["benefits"]),
            waiting=body.get("waiting"),
            details=Details(
                result=details["result"],
                days_off_work=details["days_off_work"],
                loss_percent=details["loss_percent"],
                transport=tuple((mode, cost) for mode, cost in details["transport"]),
                treatment_cost=details["treatment_cost"],
                children=tuple(Child(**json.loads(cipher.open(one))) for one in details["children"]),
            ),
            claimant=Claimant(
                name=cipher.open(claimant["name"]),
                relation=claimant["relation"],
                account=cipher.open(claimant["account"]),
            ),
        )


class _PlainCodec:
    """Aggregates of plain fields only."""

    def __init__(self, made: type[Any]) -> None:
        self._made = made

    def encode(self, state: Any, cipher: Cipher) -> Body:
        """As plain fields."""
        return asdict(state)

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        """From plain fields."""
        return self._made(**body)


class RefusalCodec:
    """Refused commands."""

    def encode(self, state: Refusal, cipher: Cipher) -> Body:
        """As plain fields."""
        return {"refused": [str(reason) for reason in state.reasons]}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Refusal:
        """From plain fields."""
        return Refusal(reasons=tuple(body["refused"]))


STORED: Mapping[str, Codec] = {
    "covers": CoverCodec(),
    "claims": ClaimCodec(),
    "invoices": _PlainCodec(PaidInvoice),
    "runs": _PlainCodec(CompletedRun),
    "wakes": _PlainCodec(Wake),
    "deaths": _PlainCodec(Death),
    "refusals": RefusalCodec(),
}
