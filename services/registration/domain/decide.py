"""Routes each input of registration to the document it changes (`route`) and decides what happens there (`decide`).

The table joins those of the features: `workers`, `suspects`, `stickers`, `participants`,
`compliance`, `outreach`, on `intake`. Each
feature's `domain/decide.py` explains its own documents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.registration.compliance.domain import decide as compliance
from services.registration.compliance.domain import state as compliance_state
from services.registration.intake.domain import decide as intake
from services.registration.intake.domain import submissions
from services.registration.intake.domain.state import Reference
from services.registration.outreach.domain import decide as outreach
from services.registration.participants.domain import decide as participants
from services.registration.participants.domain import state as participants_state
from services.registration.stickers.domain import decide as stickers
from services.registration.suspects.domain import decide as suspects
from services.registration.workers.domain import decide as workers
from services.registration.workers.domain import state as workers_state
from shared.contracts.billing import PremiumBilled
from shared.kernel.dispatch import Table
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value


@value(frozen=True, kw_only=True)
class Facts(workers_state.Facts, compliance_state.Facts, participants_state.Facts):
    """What decisions know besides their document: the facts of all features."""


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an input whose name was used before with other content."""
    of_part = _CONFLICTING.get(type(event.data))
    return of_part(event) if of_part is not None else submissions.conflicting(event)


def _premium(event: Event[PremiumBilled], reference: Reference) -> tuple[Routed, ...]:
    """A premium adds a month to the worker's cover, and puts the worker on the invoice. The second is an insert whose
    key and content follow from the premium alone.
    """
    return (stickers.of_premium(event), participants.of_premium(event))


TABLE: Table[Facts, Reference] = Table.joined(
    workers.TABLE, suspects.TABLE, stickers.TABLE, participants.TABLE, compliance.TABLE, outreach.TABLE, intake.TABLE
)
TABLE.reads(PremiumBilled, _premium)
route, decide = TABLE.route, TABLE.decide
_CONFLICTING: Mapping[type, Callable[[Event[Any]], Routed]] = {
    **suspects.CONFLICTING,
    **compliance.CONFLICTING,
    **participants.CONFLICTING,
}
