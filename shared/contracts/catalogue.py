"""Every event type of Payung in one place, with its model."""

from __future__ import annotations

from pydantic import BaseModel

from shared.contracts import (
    billing,
    claims,
    registration,
    registration_duties,
    registration_stickers,
    reporting,
    verification,
)
from shared.kernel.event import Intake

COMMANDS: dict[str, dict[str, type[Intake]]] = {
    "registration": {**registration.COMMANDS, **registration_duties.COMMANDS},
    "verification": verification.COMMANDS,
    "billing": billing.COMMANDS,
    "claims": claims.COMMANDS,
}
OUTCOMES: dict[str, dict[str, type[BaseModel]]] = {
    "registration": {**registration.OUTCOMES, **registration_duties.OUTCOMES, **registration_stickers.OUTCOMES},
    "verification": {**verification.OUTCOMES},
    "billing": {**billing.OUTCOMES},
    "claims": {**claims.OUTCOMES},
    "reporting": {**reporting.OUTCOMES},
}
# What a consumer of an open stream may meet and pass over. A type that is not here was never published by this version.
PUBLISHED_TYPES = frozenset(kind for by_type in OUTCOMES.values() for kind in by_type)
