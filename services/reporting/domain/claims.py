"""Claims: the state of each, and what was paid on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.reporting.domain.rules import latest, older
from services.reporting.domain.state import Claim, ClaimStatus
from shared.contracts.claims import (
    ClaimApproved,
    ClaimHeld,
    ClaimPaid,
    ClaimProgress,
    ClaimRegistered,
    ClaimRejected,
    ClaimReopened,
)
from shared.contracts.envelope import rfc3339
from shared.kernel.decision import Decision
from shared.kernel.event import Event

STATUSES: Mapping[type[ClaimProgress], ClaimStatus] = {
    ClaimRegistered: ClaimStatus.REGISTERED,
    ClaimHeld: ClaimStatus.HELD,
    ClaimRejected: ClaimStatus.REJECTED,
    ClaimApproved: ClaimStatus.APPROVED,
    # Open again, until it is held, approved or rejected anew.
    ClaimReopened: ClaimStatus.REGISTERED,
}


@latest
def moved(state: Claim | None, event: Event[ClaimProgress], at: str) -> Claim:
    """The present state of a claim."""
    data = event.data
    return Claim(
        regency=data.regency,
        kind=data.kind if data.kind is not None else (state.kind if state else None),
        stage=data.stage,
        status=STATUSES[type(data)].value,
        # A claim that is held again carries no amount, so the amount assessed before still stands.
        total=data.total or (state.total if state else 0),
        paid=state.paid if state else 0,
        sequence=event.sequence or 0,
        at=at,
        worker_id=data.worker_id,
    )


def paid(state: Claim | None, event: Event[ClaimPaid], facts: None) -> Decision[Claim]:
    """Adds a payment to its claim, even if a later event of the claim was counted first."""
    data, at = event.data, rfc3339(event.at)
    paid_so_far = (state.paid if state else 0) + data.total
    if state is not None and older(state, event):
        return Decision(
            state=replace(state, paid=paid_so_far, total=max(state.total, paid_so_far), at=max(state.at, at))
        )
    return Decision(
        state=Claim(
            regency=data.regency,
            kind=data.kind,
            stage="selesai",
            status=ClaimStatus.PAID.value,
            total=max(paid_so_far, state.total if state else 0),
            paid=paid_so_far,
            sequence=event.sequence or 0,
            at=at,
            worker_id=data.worker_id,
        )
    )
