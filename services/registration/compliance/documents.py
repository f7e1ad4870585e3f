"""How rosters, employments and projects are stored. No personal data, so nothing is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from services.registration.compliance.domain.state import Contract, Employment, Finding, Project, Roster, Terms
from services.registration.intake.documents import Flat, RefusalCodec
from services.registration.intake.domain.state import Refusal
from shared.runtime.ports import Cipher, Codec, Index

INDEXES: Mapping[str, Sequence[Index]] = {
    "employments": (Index(fields=("state.regency", "state.open")), Index(fields=("state.worker_id",))),
    "projects": (Index(fields=("state.regency",)),),
}


def _findings(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [{**asdict(one), "evidence": [list(pair) for pair in one.evidence]} for one in findings]


def _to_findings(body: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(**{**one, "evidence": tuple((name, value) for name, value in one["evidence"])}) for one in body
    )


class EmploymentCodec:
    """Stores employments. `open` counts the open findings, for the index. The refusal of an explanation may occupy an
    employment's key.
    """

    def encode(self, state: Employment | Refusal, cipher: Cipher) -> dict[str, Any]:
        if isinstance(state, Refusal):
            return RefusalCodec().encode(state, cipher)
        return {
            **asdict(state),
            "contracts": [asdict(one) for one in state.contracts],
            "findings": _findings(state.findings),
            "open": sum(one.state == "open" for one in state.findings),
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Employment | Refusal:
        if "contracts" not in body:
            return RefusalCodec().decode(body, cipher)
        fields = {name: value for name, value in body.items() if name != "open"}
        fields["contracts"] = tuple(Contract(**one) for one in body["contracts"])
        fields["findings"] = _to_findings(body["findings"])
        return Employment(**fields)


class ProjectCodec:
    """Stores a project with its terms."""

    def encode(self, state: Project, cipher: Cipher) -> dict[str, Any]:
        return {**asdict(state), "findings": _findings(state.findings)}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Project:
        return Project(**{**body, "terms": Terms(**body["terms"]), "findings": _to_findings(body["findings"])})


STORED: Mapping[str, Codec] = {
    "rosters": Flat(Roster),
    "employments": EmploymentCodec(),
    "projects": ProjectCodec(),
}
