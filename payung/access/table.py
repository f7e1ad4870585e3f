"""The one table of users and their rights, computed from the topics' table and from what each service consumes.

Contacts no broker and knows no password. Only the operator may make, delete or alter anything; no rule here allows it
to others.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.contracts import topics
from shared.contracts.topics import Topic
from shared.runtime.store.opening import database_name

OPERATOR = "operator"
OFFICER = "officer"
# The names of people in the producer column of the topics' table.
_OFFICERS, _TREASURY = "officers", "treasury"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of a user; `prefixed`: on everything whose name begins so."""

    kind: Literal["topic", "group"]
    name: str
    operation: Literal["read", "write", "describe-configs"]
    prefixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the broker and, with `database`, of MongoDB, where it may open only that database. `internal`: its
    log-in is for one of our services and is given to nobody."""

    name: str
    grants: frozenset[Grant] = frozenset()
    database: str | None = None
    internal: bool = False
    super_user: bool = False


def agency_name(regency: str, agency: str) -> str:
    """The user of an agency."""
    return f"{regency}-{agency}"


def treasury_name(regency: str) -> str:
    """The user of a regency's treasury."""
    return f"treasury-{regency}"


def consumed() -> dict[str, tuple[str, ...]]:
    """What each service says that it reads: topic names, and `^` patterns."""
    return {name: tuple(importlib.import_module(f"services.{name}.stream").SPEC.reads) for name in topics.SERVICES}


def users(standing: Iterable[str], reads: Mapping[str, Sequence[str]]) -> list[User]:
    """Every user of an installation with these topics and the default topics; `reads` as `consumed` gives it."""
    agencies = _agencies({*standing, *(one.name for one in topics.default_topics())})
    fixed = topics.fixed_topics()
    regencies = sorted({regency for regency, _ in agencies})
    return [
        User(name=OPERATOR, super_user=True),
        *(_service(name, fixed, reads[name]) for name in topics.SERVICES),
        *(_agency(regency, agency, names) for (regency, agency), names in sorted(agencies.items())),
        *(_person(treasury_name(regency), _TREASURY, fixed, reads) for regency in regencies),
        _person(OFFICER, _OFFICERS, fixed, reads),
    ]


def _agencies(names: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """The intake topics of each agency."""
    found: dict[tuple[str, str], set[str]] = {}
    for name in names:
        agency = topics.agency_of_topic(name)
        if agency is not None:
            found.setdefault(agency, set()).add(name)
    return found


def _producers(topic: Topic) -> set[str]:
    return {one.strip() for one in topic.producer.split(",")}


def _service(name: str, fixed: Sequence[Topic], reads: Sequence[str]) -> User:
    grants = {_reading(one) for one in reads}
    grants.add(Grant("group", f"payung-{name}", "read"))
    grants |= {Grant("topic", one.name, "write") for one in fixed if name in _producers(one)}
    if name in _producers(topics.agency_topics("00.00", "any", claims=False)[0]):
        grants.add(Grant("topic", "feedback-", "write", prefixed=True))
    # For HTTP: the service publishes what people send to it, on the topic to which those people could write themselves.
    by_people = {one.name for one in fixed if not _producers(one) & set(topics.SERVICES)}
    grants |= {
        Grant("topic", one.name, "write", one.prefixed)
        for one in grants
        if one.kind == "topic" and (one.name in by_people or "-intake-" in one.name)
    }
    # At start a service asks how each topic is kept; it refuses topics that the loss of one disk could lose.
    grants |= {Grant("topic", one.name, "describe-configs", one.prefixed) for one in grants if one.kind == "topic"}
    return User(name=name, grants=frozenset(grants), database=database_name(name), internal=True)


def _reading(name: str) -> Grant:
    """The right to read a `^` pattern. Our patterns are a literal beginning and `.*`; for another pattern the rule
    would be too wide.
    """
    if not name.startswith("^"):
        return Grant("topic", name, "read")
    begin = name.removeprefix("^").removesuffix(".*")
    assert begin.replace("-", "").isalnum(), f"{name} is no plain beginning"
    return Grant("topic", begin, "read", prefixed=True)


def _agency(regency: str, agency: str, intake: Iterable[str]) -> User:
    name = agency_name(regency, agency)
    grants = {Grant("topic", one, "write") for one in intake}
    grants.add(Grant("topic", topics.feedback(regency, agency), "read"))
    return User(name=name, grants=frozenset(grants | _groups(name)))


def _person(name: str, producer: str, fixed: Sequence[Topic], reads: Mapping[str, Sequence[str]]) -> User:
    """A person who writes commands, and reads the events of the services that answer them."""
    written = {one.name for one in fixed if producer in _producers(one)}
    answering = [service for service, names in reads.items() if written & set(names)]
    grants = {Grant("topic", one, "write") for one in written}
    grants |= {Grant("topic", topics.events(service), "read") for service in answering}
    return User(name=name, grants=frozenset(grants | _groups(name)))


def _groups(name: str) -> set[Grant]:
    """Consumer groups named by the user: NAME and NAME.ANYTHING. No user has a name of the second form."""
    return {Grant("group", name, "read"), Grant("group", f"{name}.", "read", prefixed=True)}
