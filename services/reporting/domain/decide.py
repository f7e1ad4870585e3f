"""Turns each event into a figure that cannot be counted twice.

Theory of operation
* Every event changes exactly one document, named by its subject: a worker, a worker's month, an invoice, a claim. A
  figure is a count of documents and never a separate counter, so redelivery and replay cannot change it.
* Most documents are inserted once and never change (premiums, invoices, runs, answers). The others hold the latest
  state of one aggregate of another service. An event older than that state is ignored, so any interleaving of topics
  gives the same end.
* Payments are a deliberate exception: a payment always adds to its claim, even after later events, because scholarship
  payments of several years add up. The shell never delivers the same payment twice.
* Nothing is published here: snapshots are made from figures, not from single events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.reporting.domain import claims, field, money, people
from services.reporting.domain.rules import FEEDBACK_PREFIX, answering_agency
from shared.contracts.envelope import rfc3339
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Routed


def route(event: Event, reference: object) -> tuple[Routed, ...]:
    """Names the one document that an event changes; none for a copy on an agency's feedback topic that answers no
    row."""
    address = _ADDRESSES[event.type](event)
    return () if address is None else (Routed(address, event.data),)


def decide(state: Any, event: Event, facts: object) -> Decision[Any]:
    """The document after the event; a state of None means that nothing changes."""
    return _JUDGEMENTS[event.type](state, event, rfc3339(event.at))


def _by_worker(collection: str) -> Callable[[Event], Address | None]:
    return lambda event: Address(collection, event.data.worker_id)


def _claim_address(event: Event) -> Address | None:
    if event.topic.startswith(FEEDBACK_PREFIX):
        # The same event is on claims-events, for everyone. Here it may be the answer to an agency's row.
        return _claim_answer_address(event)
    claim = event.data
    # A submission without a number is counted by itself, under the event's own name.
    number = claim.claim_no if claim.claim_no is not None else f"?{event.name}"
    return Address("claims", f"{claim.regency}/{claim.agency}/{number}")


def _answer_address(event: Event) -> Address | None:
    return None if answering_agency(event.topic) is None else Address("answers", event.name)


def _claim_answer_address(event: Event) -> Address | None:
    # One row has one answer, so it is counted under the name of the submission.
    return Address("answers", f"{event.causation_source}|{event.causation_id}") if people.answers_row(event) else None


def _claim(state: Any, event: Event, at: str) -> Decision[Any]:
    if event.topic.startswith(FEEDBACK_PREFIX):
        return people.claim_answered(state, event, at)
    return claims.moved(state, event, at)


def _settlement_address(event: Event) -> Address | None:
    agency = answering_agency(event.topic)
    return None if agency is None else Address("settlements", f"{agency[0]}/{agency[1]}|{event.data.worker_id}")


def _budget_address(event: Event) -> Address | None:
    return Address("budgets", f"{event.data.regency}|{event.data.year}|{event.data.funding}")


def _exhaustion_address(event: Event) -> Address | None:
    data = event.data
    return Address("exhaustions", f"{data.regency}|{data.period}|{data.funding}|{data.account}")


def _risk_address(event: Event) -> Address | None:
    # A month may have several invoices, and each can be late.
    return Address("risks", "|".join(filter(None, (event.data.regency, event.data.period, event.subject))))


_MEETINGS = ("outreach.planned.v1", "outreach.held.v1")
_ADDRESSES: dict[str, Callable[[Event], Address | None]] = {
    "worker.registered.v1": _by_worker("registrations"),
    "worker.updated.v1": _by_worker("registrations"),
    "worker.withdrawn.v1": _by_worker("registrations"),
    **dict.fromkeys(people.VERDICTS, _by_worker("identities")),
    "premium.billed.v1": lambda event: Address("premiums", f"{event.data.worker_id}|{event.data.period}"),
    "premium.paid.v1": lambda event: Address("invoices", event.data.invoice_id),
    "billing.run-completed.v1": lambda event: Address("runs", event.data.run_id),
    "budget.set-accepted.v1": _budget_address,
    "budget.exhausted.v1": _exhaustion_address,
    "coverage.at-risk.v1": _risk_address,
    **dict.fromkeys(claims.STATUSES, _claim_address),
    "claim.paid.v1": lambda event: None if event.topic.startswith(FEEDBACK_PREFIX) else _claim_address(event),
    "claim.submit.refused.v1": _claim_answer_address,
    "submission.answered.v1": _answer_address,
    "submission.settled.v1": _settlement_address,
    "employer.found-noncompliant.v1": lambda event: Address("findings", event.data.finding_id),
    "project.registered.v1": lambda event: Address("projects", f"{event.data.regency}|{event.data.project_no}"),
    **dict.fromkeys(_MEETINGS, lambda event: Address("meetings", f"{event.data.regency}|{event.data.meeting_id}")),
}
_JUDGEMENTS: dict[str, Callable[[Any, Event, str], Decision[Any]]] = {
    "worker.registered.v1": people.registered,
    "worker.updated.v1": people.registered,
    "worker.withdrawn.v1": people.withdrawn,
    **dict.fromkeys(people.VERDICTS, people.judged),
    "premium.billed.v1": money.billed,
    "premium.paid.v1": money.invoice_paid,
    "billing.run-completed.v1": money.run_completed,
    "budget.set-accepted.v1": money.budget_set,
    "budget.exhausted.v1": money.exhausted,
    "coverage.at-risk.v1": money.at_risk,
    **dict.fromkeys(claims.STATUSES, _claim),
    "claim.paid.v1": claims.paid,
    "claim.submit.refused.v1": people.claim_answered,
    "submission.answered.v1": people.answered,
    "submission.settled.v1": people.settled,
    "employer.found-noncompliant.v1": field.found,
    "project.registered.v1": field.project,
    **dict.fromkeys(_MEETINGS, field.met),
}
COUNTED_TYPES = frozenset(_JUDGEMENTS)
