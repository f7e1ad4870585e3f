"""Rosters, employments, projects and their findings. Defines shapes only; no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from shared.contracts.registration_duties import FindingKind, State
from shared.kernel.values import value
from shared.reference import rates
from shared.reference.rates import Rates

NO_END = "9999-12-31"


@value(frozen=True, slots=True, kw_only=True)
class Finding:
    """One duty not kept. `subject` is the day that distinguishes findings of one kind. `explained_by` is the officer
    who explained it; the name is kept here and never published.
    """

    kind: FindingKind
    subject: str
    due_on: str
    state: State
    evidence: tuple[tuple[str, str], ...]
    explained_by: str = ""


@value(frozen=True, slots=True, kw_only=True)
class About:
    """Whom the findings of one document concern; `prefix` names the document in finding ids.

    `employer_name` is not published: others see the employer's number, or a contractor's keyed name.
    """

    prefix: str
    regency: str
    employer_id: str | None
    employer_name: str
    worker_id: str | None = None
    project_no: str | None = None
    contractor: str | None = None


@value(frozen=True, slots=True, kw_only=True)
class Contract:
    """One contract as last reported; days are ISO texts."""

    started_on: str
    ends_on: str | None
    number: str | None
    registered_on: str | None

    def runs_on(self, day: str) -> bool:
        """Whether the contract has not ended before this day."""
        return (self.ends_on or NO_END) >= day


@value(frozen=True, slots=True, kw_only=True)
class Employment:
    """What is known of one person's work for one employer. It holds no NIK: the worker's id names the document."""

    employer_id: str
    employer_name: str
    regency: str
    worker_id: str
    contracts: tuple[Contract, ...]
    subsidised: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def until(self) -> str:
        """The last day of the last contract."""
        return last_day(self.contracts)

    @property
    def open(self) -> int:
        """How many of its findings are open."""
        return sum(one.state == "open" for one in self.findings)

    @property
    def about(self) -> About:
        """Whom its findings concern."""
        return About(
            prefix=f"employment/{self.employer_id}/{self.worker_id}",
            regency=self.regency,
            employer_id=self.employer_id,
            employer_name=self.employer_name,
            worker_id=self.worker_id,
        )


def last_day(contracts: tuple[Contract, ...]) -> str:
    """The last day of the last contract."""
    return max(one.ends_on or NO_END for one in contracts)


@value(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a report says of a project; `contract_value` in rupiah without VAT, days as ISO texts.

    `contractor_key` is the contractor's keyed name, for readers outside registration.
    """

    contractor: str
    contract_value: int
    starts_on: str
    ends_on: str
    village: str
    district: str
    contractor_key: str = ""


@value(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as last reported; `late`: the project or one of its changes was reported after its term."""

    project_no: str
    regency: str
    terms: Terms
    due_on: str
    late: bool
    findings: tuple[Finding, ...] = ()

    @property
    def about(self) -> About:
        """Whom its findings concern."""
        return About(
            prefix=f"project/{self.regency}/{self.project_no}",
            regency=self.regency,
            employer_id=None,
            employer_name=self.terms.contractor,
            project_no=self.project_no,
            contractor=self.terms.contractor_key,
        )


@value(frozen=True, slots=True, kw_only=True)
class Roster:
    """A roster that was taken."""

    employer_id: str
    regency: str
    agency: str
    lines: int
    accepted: int


# Without slots, so that the service's facts can inherit the facts of several features.
@value(frozen=True, kw_only=True)
class Facts:
    """What decisions on duties know besides their document.

    `subsidised` names the verified workers among those reported. `jobs` gives, for workers whose contract is over, the
    last day of work with each employer (NO_END: no end). `rates` has the terms of construction projects.
    """

    subsidised: frozenset[str] = frozenset()
    jobs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rates: Rates = field(default_factory=rates.load)
