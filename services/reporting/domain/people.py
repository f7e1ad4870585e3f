"""Workers, verdicts on them, and answers to the agencies that sent them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from services.reporting.domain import history
from services.reporting.domain.rules import ALREADY_COUNTED, OLDER, answering_agency, latest, older
from services.reporting.domain.state import Identity, Registration, Settlement, SubmissionAnswer, VerdictStatus
from shared.contracts.claims import ClaimProgress, ClaimRegistered, ClaimRejected, CommandRefused
from shared.contracts.envelope import rfc3339
from shared.contracts.reasons import Reason, field_of
from shared.contracts.registration import SubmissionAnswered, SubmissionSettled, WorkerRegistered, WorkerWithdrawn
from shared.contracts.verification import (
    IdentityEnded,
    IdentityHeld,
    IdentityRejected,
    IdentityUnverified,
    IdentityVerified,
)
from shared.kernel.decision import Decision
from shared.kernel.event import Event
from shared.kernel.values import value

VERDICTS: Mapping[type[IdentityVerified | IdentityUnverified], VerdictStatus] = {
    IdentityVerified: VerdictStatus.VERIFIED,
    IdentityRejected: VerdictStatus.REJECTED,
    IdentityHeld: VerdictStatus.HELD,
    IdentityEnded: VerdictStatus.ENDED,
}


@latest
def registered(state: Registration | None, event: Event[WorkerRegistered], at: str) -> Registration:
    """A worker as registered or changed."""
    data = event.data
    return Registration(
        regency=data.regency,
        district=data.district,
        village=data.village,
        sector=data.sector,
        sex=data.sex,
        birth_month=data.birth_month,
        agency=data.agency,
        active=True,
        sequence=event.sequence or 0,
        at=at,
        since=state.since if state and state.since else at[:10],
        past=history.of_registration(state, at),
    )


@latest
def withdrawn(state: Registration | None, event: Event[WorkerWithdrawn], at: str) -> Registration:
    """A worker who left; fields that the event does not carry keep their values."""
    data = event.data
    return Registration(
        regency=data.regency,
        district=data.district,
        village=data.village,
        sector=data.sector,
        sex=state.sex if state else None,
        birth_month=state.birth_month if state else None,
        agency=state.agency if state else None,
        active=False,
        sequence=event.sequence or 0,
        at=at,
        since=state.since if state else None,
        past=history.of_registration(state, at),
    )


def judged(
    state: Identity | None, event: Event[IdentityVerified | IdentityUnverified], facts: None
) -> Decision[Identity]:
    """The verdict that stands."""
    data, at = event.data, rfc3339(event.at)
    sequence = event.sequence or 0
    # The registration version counts first: a verdict on an older form says nothing about the present one.
    if state is not None and (data.registration_version, sequence) < (state.registration_version, state.sequence):
        return Decision(state=None, ignored=OLDER)
    return Decision(
        state=Identity(
            regency=data.regency,
            district=data.district,
            village=data.village,
            sector=data.sector,
            sex=data.sex,
            birth_month=data.birth_month,
            status=VERDICTS[type(data)].value,
            registration_version=data.registration_version,
            sequence=sequence,
            at=at,
            deceased_on=_deceased_on(data),
            past=history.of_identity(state, at),
        )
    )


def _deceased_on(data: IdentityVerified | IdentityUnverified) -> str | None:
    """The effective day of a verdict that says the worker is dead; None for other verdicts."""
    if isinstance(data, IdentityVerified) or Reason.DECEASED not in data.reasons:
        return None
    return data.effective_on


# Errors that the register found in the sent data. Other rejections (age, a wage job) are no fault of the list.
_FOUND_WRONG = frozenset(
    {
        Reason.NOT_FOUND,
        Reason.DECEASED,
        Reason.NIK_MALFORMED,
        Reason.BIRTH_DATE_MISMATCH,
        Reason.SEX_MISMATCH,
        Reason.NAME_MISMATCH,
    }
)


def settled(state: Settlement | None, event: Event[SubmissionSettled], facts: None) -> Decision[Settlement]:
    """The latest verdict on a worker that an agency sent. A refuting verdict counts against the sender while it
    stands.
    """
    agency = answering_agency(event.topic)
    if agency is None or older(state, event):
        return Decision(state=None, ignored=OLDER)
    found = tuple(one for one in dict.fromkeys(event.data.reasons) if one in _FOUND_WRONG)
    refuted = event.data.identity == VerdictStatus.REJECTED.value and bool(found)
    return Decision(
        state=Settlement(
            regency=agency.regency,
            agency=agency.agency,
            refuted=refuted,
            reasons=found if refuted else (),
            sequence=event.sequence or 0,
            at=rfc3339(event.at),
        )
    )


def answered(state: None, event: Event[SubmissionAnswered], facts: None) -> Decision[SubmissionAnswer]:
    """One answer to one row."""
    agency = answering_agency(event.topic)
    if agency is None:
        return Decision(state=None, ignored=ALREADY_COUNTED)
    return Decision(
        state=SubmissionAnswer(
            regency=agency.regency,
            agency=agency.agency,
            outcome=event.data.outcome,
            reasons=tuple(dict.fromkeys(event.data.reasons)),
            at=rfc3339(event.at),
        )
    )


# How claims answers a submission: the first step of its claim, or a refusal.
_CLAIM_OUTCOMES: Mapping[type, str] = {
    ClaimRegistered: "accepted",
    ClaimRejected: "rejected",
    CommandRefused: "rejected",
}
_ROW_FAULTS = frozenset({Reason.ROW_RAGGED, Reason.ROW_UNREADABLE, Reason.FORMULA_WITHOUT_VALUE})


@value(frozen=True, slots=True)
class ClaimAnswer:
    """The answer of claims to one row of an agency."""

    regency: str
    agency: str
    outcome: str
    reasons: tuple[str, ...]


def claim_answer(event: Event[ClaimProgress | CommandRefused]) -> ClaimAnswer | None:
    """What a claim's event on a feedback topic answers to an agency's row, as far as its data goes; None for nothing.

    A claim with a good form that is refused by law (not covered, too late) or withdrawn does not show whether the data
    was right, so only refusals of fields or of unreadable rows count.
    """
    outcome, agency = _CLAIM_OUTCOMES.get(type(event.data)), answering_agency(event.topic)
    reasons = tuple(dict.fromkeys(event.data.reasons))
    if outcome is None or agency is None or not _is_of_agency(event):
        return None
    if outcome == "rejected" and not all(field_of(one) or one in _ROW_FAULTS for one in reasons):
        return None
    return ClaimAnswer(agency.regency, agency.agency, outcome, reasons)


def claim_answered(state: None, event: Event[ClaimAnswer], facts: None) -> Decision[SubmissionAnswer]:
    """The answer of claims to one row."""
    part = event.data
    return Decision(
        state=SubmissionAnswer(
            regency=part.regency,
            agency=part.agency,
            outcome=part.outcome,
            reasons=part.reasons,
            at=rfc3339(event.at),
        )
    )


def _is_of_agency(event: Event) -> bool:
    return event.causation_source is not None and event.causation_source.startswith("agency/")
