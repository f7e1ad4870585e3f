"""The one table of topics: who writes, by which key, how many partitions, how long records are kept.

`payung topics apply` creates them, every service checks them at start, AsyncAPI is generated from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

DAY_MS = 86_400_000
FOREVER = -1
# The size limit of incoming records (docs/contracts.md#dead-letter-or-refusal). Our own steps carry up to 1,000
# enrolments in one record, and a dead letter is the original plus its headers, so those topics allow more.
INTAKE_BYTES_MAX = 256 * 1024
RECORD_BYTES_MAX = 1024 * 1024
DEAD_LETTER_BYTES_MAX = 2 * 1024 * 1024

DEFAULT_REGENCIES = ("64.08", "64.02")
DEFAULT_REGISTRATION_AGENCIES = ("distransnaker", "dinsos", "perikanan", "perkebunan", "perdagangan", "desa")
DEFAULT_CLAIMS_AGENCIES = ("distransnaker", "rumahsakit")
SERVICES = ("registration", "verification", "billing", "claims", "reporting")
# The prefix of an officer's source: officer/<name, percent-encoded>.
OFFICER = "officer/"

_AGENCY = re.compile(r"agency/(\d{2}\.\d{2})/([a-z][a-z0-9-]{0,38}[a-z0-9])")
_INTAKE = re.compile(r"(registration|claims)-intake-(\d{2})(\d{2})-([a-z][a-z0-9-]{0,38}[a-z0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. `retention_ms` FOREVER keeps all records; `compacted` keeps the latest record of each key."""

    name: str
    producer: str
    key: str
    partitions: int
    retention_ms: int = FOREVER
    compacted: bool = False
    restricted: bool = False
    bytes_max: int = RECORD_BYTES_MAX


def is_from_outside(topic: str) -> bool:
    """Whether agencies, the treasury or officers write to a topic, not only Payung's services."""
    return "-intake" in topic or topic.endswith("-officers")


def is_feedback(topic: str) -> bool:
    """Whether a topic belongs to one agency: only such topics repeat the texts that the agency sent."""
    return topic.startswith("feedback-")


def compact_code(regency: str) -> str:
    """A regency code as it stands in a topic name: 64.08 -> 6408."""
    return regency.replace(".", "")


class AgencyName(NamedTuple):
    """An agency: its regency's code and its name there."""

    regency: str
    agency: str


def agency_of_source(source: str) -> AgencyName | None:
    """The regency and agency that a source names (`agency/64.08/dinsos`), else None."""
    found = _AGENCY.fullmatch(source)
    return AgencyName(found[1], found[2]) if found else None


def agency_of_topic(topic: str) -> AgencyName | None:
    """The regency and agency that an intake topic belongs to, else None (not an agency's topic)."""
    found = _INTAKE.fullmatch(topic)
    return AgencyName(f"{found[2]}.{found[3]}", found[4]) if found else None


def registration_intake(regency: str, agency: str) -> str:
    """The topic where an agency submits workers."""
    return f"registration-intake-{compact_code(regency)}-{agency}"


def claims_intake(regency: str, agency: str) -> str:
    """The topic where an agency submits claims."""
    return f"claims-intake-{compact_code(regency)}-{agency}"


def feedback(regency: str, agency: str) -> str:
    """The topic where an agency learns the result of what it sent."""
    return f"feedback-{compact_code(regency)}-{agency}"


def work(service: str) -> str:
    """The topic of a service's internal steps."""
    return f"{service}-work"


def events(service: str) -> str:
    """The topic of a service's open events."""
    return f"{service}-events"


def dead_letters(service: str) -> str:
    """The topic of records that a service could not read."""
    return f"{service}-dlq"


BILLING_INTAKE = "billing-intake"
# Decisions of officers. The event's source names the officer; a field cannot. The officer is never the one who
# submitted.
VERIFICATION_INTAKE = "verification-intake"
CLAIMS_OFFICERS = "claims-officers"
REGISTRATION_OFFICERS = "registration-officers"
IDENTITY_CHECKS = "identity-checks"
# Carries a check value of the key with which registration makes worker ids; never the key itself.
REGISTRATION_KEY_CHECK = "registration-key-check"
REPORTING_COVERAGE = "reporting-coverage"


def agency_topics(regency: str, agency: str, *, claims: bool) -> list[Topic]:
    """The topics of one agency, feedback first, so that every intake has a topic for its answers."""
    who = f"agency/{regency}/{agency}"
    name = claims_intake(regency, agency) if claims else registration_intake(regency, agency)
    return [
        Topic(
            name=feedback(regency, agency),
            producer="registration, claims",
            key="submission id, else event id",
            partitions=1,
            retention_ms=30 * DAY_MS,
        ),
        Topic(
            name=name,
            producer=who,
            key="any, never a NIK",
            partitions=3,
            retention_ms=14 * DAY_MS,
            restricted=True,
        ),
    ]


def fixed_topics() -> list[Topic]:
    """The topics of every installation, whatever its agencies."""
    topics = [
        Topic(
            name=BILLING_INTAKE,
            producer="treasury, BPJS, operators",
            key="regency",
            partitions=3,
            retention_ms=90 * DAY_MS,
        ),
        Topic(
            name=VERIFICATION_INTAKE,
            producer="officers",
            key="worker_id",
            partitions=3,
            retention_ms=14 * DAY_MS,
            restricted=True,
        ),
        Topic(
            name=CLAIMS_OFFICERS,
            producer="officers",
            key="claim",
            partitions=3,
            retention_ms=14 * DAY_MS,
            restricted=True,
        ),
        Topic(
            name=REGISTRATION_OFFICERS,
            producer="officers",
            key="pair or finding",
            partitions=3,
            retention_ms=14 * DAY_MS,
            restricted=True,
        ),
        Topic(
            name=IDENTITY_CHECKS,
            producer="registration",
            key="worker_id",
            partitions=6,
            retention_ms=14 * DAY_MS,
            restricted=True,
        ),
        Topic(
            name=REGISTRATION_KEY_CHECK,
            producer="registration",
            key="worker-ids",
            partitions=1,
            compacted=True,
        ),
    ]
    for service in SERVICES:
        topics.append(
            Topic(
                name=work(service),
                producer=service,
                key="next aggregate's id",
                partitions=6,
                retention_ms=14 * DAY_MS,
                restricted=True,
            )
        )
        topics.append(
            Topic(
                name=dead_letters(service),
                producer=service,
                key="original key",
                partitions=1,
                retention_ms=90 * DAY_MS,
                restricted=True,
                bytes_max=DEAD_LETTER_BYTES_MAX,
            )
        )
    topics.extend(
        Topic(
            name=events(service), producer=service, key="worker_id; regency for runs, invoices, budgets", partitions=6
        )
        for service in ("registration", "verification", "billing", "claims")
    )
    topics.append(
        Topic(
            name=REPORTING_COVERAGE,
            producer="reporting",
            key="area code + period",
            partitions=3,
            compacted=True,
        )
    )
    return topics


def default_topics() -> list[Topic]:
    """Every topic of a fresh installation: the fixed ones and those of the default agencies."""
    topics = {topic.name: topic for topic in fixed_topics()}
    for regency in DEFAULT_REGENCIES:
        for agency in DEFAULT_REGISTRATION_AGENCIES:
            topics.update({topic.name: topic for topic in agency_topics(regency, agency, claims=False)})
        for agency in DEFAULT_CLAIMS_AGENCIES:
            topics.update({topic.name: topic for topic in agency_topics(regency, agency, claims=True)})
    return list(topics.values())
