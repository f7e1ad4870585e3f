"""Findings: a duty that was not kept, with evidence, the day it was due, and what became of it. Pure.

Invariant: a finding is published when it is made and each time its state or evidence changes, and at no other time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.registration.compliance.domain.state import About, Finding
from services.registration.intake.domain.outcomes import open_event
from shared.contracts.registration_duties import EmployerFoundNoncompliant
from shared.kernel.decision import Outcome

# The evidence that is published. A contract's number is free text of the agency, so it is not.
_TOLD = frozenset(
    {
        *("started_on", "registered_on", "days_late", "contracts", "first_started_on", "last_ends_on"),
        *("term_from", "reported_on"),
    }
)


def merged(before: Sequence[Finding], judged: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The present findings, and those of them to publish.

    An explanation holds until the duty is kept. A finding that the reports no longer show is cured.
    """
    known = {(one.kind, one.subject): one for one in before}
    after: dict[tuple[str, str], Finding] = {}
    for one in judged:
        key = (one.kind, one.subject)
        stood = known.pop(key, None)
        if stood is not None and stood.explained_by:
            one = replace(one, explained_by=stood.explained_by)
        if stood is not None and stood.state == "explained" and one.state == "open":
            one = replace(one, state="explained")
        after[key] = one
    for key, stood in known.items():
        after[key] = replace(stood, state="cured")
    standing = tuple(sorted(after.values(), key=lambda one: (one.subject, one.kind)))
    return standing, tuple(one for one in standing if one not in before)


def explained(
    before: Sequence[Finding], kind: str, subject: str, officer: str
) -> tuple[tuple[Finding, ...], Finding | None]:
    """The findings after one was explained, and that one; None when it is not there or no longer open."""
    for index, one in enumerate(before):
        if (one.kind, one.subject) == (kind, subject) and one.state == "open":
            told = replace(one, state="explained", explained_by=officer)
            return (*before[:index], told, *before[index + 1 :]), told
    return tuple(before), None


def finding_id(about: About, finding: Finding) -> str:
    """The permanent id of a finding: its document, its kind and its day."""
    return f"{about.prefix}/{finding.kind}/{finding.subject}"


def issued(about: About, finding: Finding) -> Outcome:
    """The event of a finding; the key is the employer, or the project when no employer is named."""
    return open_event(
        about.employer_id or about.project_no or about.prefix,
        "employer.found-noncompliant.v1",
        EmployerFoundNoncompliant(
            finding_id=finding_id(about, finding),
            regency=about.regency,
            employer_id=about.employer_id,
            contractor=about.contractor,
            kind=finding.kind,
            state=finding.state,
            due_on=finding.due_on,
            evidence={name: text for name, text in finding.evidence if name in _TOLD},
            worker_id=about.worker_id,
            project_no=about.project_no,
        ),
    )
