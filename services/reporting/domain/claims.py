"""Claims: the state of each, and what was paid on it. Pure."""

from __future__ import annotations

from dataclasses import replace

from services.reporting.domain.rules import latest, older
from services.reporting.domain.state import Claim, ClaimStatus
from shared.kernel.decision import Decision
from shared.kernel.event import Event

STATUSES = {
    "claim.registered.v1": ClaimStatus.REGISTERED,
    "claim.held.v1": ClaimStatus.HELD,
    "claim.rejected.v1": ClaimStatus.REJECTED,
    "claim.approved.v1": ClaimStatus.APPROVED,
    # Open again, until it is held, approved or rejected anew.
    "claim.reopened.v1": ClaimStatus.REGISTERED,
}


@latest
def moved(state: Claim | None, event: Event, at: str) -> Claim:
    """The present state of a claim."""
    data = event.data
    return Claim(
        regency=data.regency,
        kind=data.kind if data.kind is not None else (state.kind if state else None),
        stage=data.stage,
        status=STATUSES[event.type].value,
        # A claim that is held again carries no amount, so the amount assessed before still stands.
        total=data.total or (state.total if state else 0),
        paid=state.paid if state else 0,
        sequence=event.sequence or 0,
        at=at,
        worker_id=data.worker_id,
    )


def paid(state: Claim | None, event: Event, at: str) -> Decision[Claim]:
    """Adds a payment to its claim, even if a later event of the claim was counted first."""
    data = event.data
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
