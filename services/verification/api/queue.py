"""The queue of held cases, and one case with what the form and each source say, field by field.

The list holds no personal data. A case does, but it shows the NIK only masked, enough to tell two workers apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.verification.domain.policy import Policy
from services.verification.domain.rules import Poverty, SnapshotPerson
from services.verification.domain.state import CheckStatus, Identity
from services.verification.facts import policies, sources
from shared.kernel.identity import masked
from shared.runtime import clock
from shared.runtime.ports import Cipher, Reader

CASES_MAX = 500


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of the queue; `total` counts all matching cases."""

    cases: Sequence[tuple[str, Identity]]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the comparison; None when a side gives no value."""

    name: str
    form: str | None
    register: str | None
    agrees: bool | None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One worker's case, with what the sources say today."""

    worker_id: str
    identity: Identity
    policy: Policy
    fields: Sequence[Field]
    register: str
    poverty: Poverty | None

    @property
    def nik(self) -> str:
        """The masked NIK."""
        return masked(self.identity.asked.nik)

    @property
    def needs_two(self) -> bool:
        """Whether two officers must agree."""
        return self.policy.needs_two(self.identity.reasons)


async def held(
    reader: Reader, regencies: Sequence[str] | None, reason: str | None, after: str | None, limit: int
) -> QueuePage:
    """The oldest held cases of these regencies that come after `after`."""
    where: dict[str, Any] = {"state.status": CheckStatus.HELD.value}
    if regencies is not None:
        where["state.regency"] = {"$in": list(regencies)}
    if reason is not None:
        where["state.reasons"] = reason
    total = await reader.count("identities", where)
    since, _, last = (after or "").partition("|")
    if last:
        where["$or"] = [{"state.checked_on": {"$gt": since}}, {"state.checked_on": since, "_id": {"$gt": last}}]
    found = await reader.find("identities", where, order=("state.checked_on", "_id"), limit=limit + 1)
    cases = [(worker, one) for worker, one in found if isinstance(one, Identity)]
    more = len(cases) > limit
    cases = cases[:limit]
    worker, oldest = cases[-1] if more else ("", None)
    return QueuePage(cases, total, f"{oldest.checked_on}|{worker}" if oldest is not None else None)


async def case_of(reader: Reader, cipher: Cipher, worker_id: str, identity: Identity) -> Case:
    """A case. The register's own row is shown as long as the snapshot that judged is still the current one."""
    asked = identity.asked
    key = (asked.regency, worker_id)
    loads = await sources.loads(reader, [asked.regency])
    rows = await sources.look_up(reader, sources.POPULATION, [key], loads)
    lines = await sources.look_up(reader, sources.DINSOS, [key], loads)
    person = sources.person(rows[key], cipher) if key in rows else None
    judged = next((one for one in identity.evidence if one == "dukcapil" or one.startswith("snapshot:")), "")
    if person is not None and judged != f"snapshot:{person.version}":
        person = None
    return Case(
        worker_id=worker_id,
        identity=identity,
        policy=(await policies.load(reader)).at(asked.regency, clock.now()),
        fields=_fields(identity, person),
        register=judged,
        poverty=sources.poverty(lines[key], cipher) if key in lines else None,
    )


def _fields(identity: Identity, person: SnapshotPerson | None) -> list[Field]:
    asked, found = identity.asked, identity.found
    alive = found is not None and found.register == "alive"
    birth_date = found.birth_date_matches if found is not None else None
    sex = found.sex_matches if found is not None else None
    name, born, known_sex, village = (
        (person.name, person.birth_date, person.sex, person.village or None) if person else (None,) * 4
    )
    return [
        # For a name the score says how well it agrees.
        Field("name", asked.name, name, None, identity.score if alive else None),
        Field("birth_date", asked.birth_date, born, birth_date),
        Field("sex", asked.sex, known_sex, sex),
        Field("birth_place", asked.birth_place, None, None),
        Field("village", asked.village, village, None),
    ]


def standing_json(worker_id: str, one: Identity) -> dict[str, Any]:
    """The standing of an identity: no name, no NIK."""
    return {
        "worker_id": worker_id,
        "regency": one.asked.regency,
        "village": one.asked.village,
        "status": one.status,
        "reasons": list(one.reasons),
        "score": one.score,
        "evidence": list(one.evidence),
        "since": one.checked_on,
        "registration_version": one.asked.registration_version,
        "policy": one.policy,
        "awaits_second_officer": one.proposal is not None,
        # Registration's officers clear this; until then the verdict above is published as held.
        "suspected_double": one.known.suspected,
    }


def list_json(found: QueuePage) -> dict[str, Any]:
    """A page of the queue as JSON."""
    shown: dict[str, Any] = {"reviews": [standing_json(worker_id, one) for worker_id, one in found.cases]}
    return {**shown, "total": found.total, "next": found.next}


def case_json(case: Case) -> dict[str, Any]:
    """A case with its evidence as JSON. Personal data: for an officer only."""
    one, policy = case.identity, case.policy
    return {
        **standing_json(case.worker_id, one),
        "nik": case.nik,
        "fields": [
            {
                "field": line.name,
                "form": line.form,
                "register": line.register,
                "agrees": line.agrees,
                "score": line.score,
            }
            for line in case.fields
        ],
        "register": {"source": case.register, "status": one.found.register if one.found else None},
        "attestations": [word.model_dump() for word in one.asked.attestations],
        "rosters": list(one.listed.rosters),
        "poverty": case.poverty
        and {"source": case.poverty.source, "version": case.poverty.version, "decile": case.poverty.decile},
        "rules": {
            "policy": policy.version,
            "legal_basis": policy.legal_basis,
            "name_hold_from": policy.name_hold_from,
            "name_pass_from": policy.name_pass_from,
            "deciders": list(policy.deciders),
            "needs_two": case.needs_two,
        },
        "proposal": one.proposal
        and {
            "decision": "verified" if one.proposal.verified else "rejected",
            "officer": one.proposal.ruling.officer,
            "reason": one.proposal.ruling.reason,
            "decided_on": one.proposal.ruling.decided_on,
        },
        "ruling": one.ruling
        and {"officer": one.ruling.officer, "reason": one.ruling.reason, "decided_on": one.ruling.decided_on},
    }
