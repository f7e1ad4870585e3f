"""The one table of admissible events: for each topic the types it may carry and the sources that may send them.
Everything else is a dead letter, on agencies' topics and on our own, even if the broker accepts it: access to a topic
must not be enough to send what only another party may decide.

Pure. Types come from the catalogue, so that a new event is entered once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from shared.contracts import catalogue, topics
from shared.kernel.values import value

# Officers sign with a percent-encoded name (shared/runtime/http/officers.py), a treasury with its regency or province.
_OFFICER = re.compile(r"officer/\S[^\x00-\x1f\x7f]{0,199}")
_TREASURY = re.compile(r"treasury/\d{2}(\.\d{2})?", re.ASCII)
_FEEDBACK = re.compile(r"feedback-(\d{2})(\d{2})-([a-z][a-z0-9-]{0,38}[a-z0-9])", re.ASCII)


@value(frozen=True, slots=True)
class Rule:
    """What one topic may carry. `types` are all allowed types. `exact` gives the types that a source with this full
    name may send; sources that match a pattern of `like` may send every type of the topic."""

    types: frozenset[str]
    exact: Mapping[str, frozenset[str]]
    like: tuple[re.Pattern[str], ...] = ()

    def admits(self, source: str, kind: str) -> bool:
        """Whether this source may send this type here."""
        said = self.exact.get(source)
        if said is not None:
            return kind in said
        return kind in self.types and any(one.fullmatch(source) for one in self.like)

    @property
    def allowed_sources(self) -> str:
        """The allowed sources, as a text for a refused sender."""
        return " or ".join([*sorted(self.exact), *(_NAMED[one] for one in self.like)]) or "nobody"


# Finds the rule of a topic. None: it is not a topic of ours, and no event is allowed on it.
RuleOfTopic = Callable[[str], Rule | None]
_NAMED: Mapping[re.Pattern[str], str] = {_OFFICER: "officer/<name>", _TREASURY: "treasury/<regency>"}


def _of(**said: Mapping[str, object]) -> Rule:
    """The rule of a topic that only services write to, by the types of each."""
    exact = {f"payung/{service}": frozenset(types) for service, types in said.items()}
    return Rule(frozenset().union(*exact.values()), exact)


_FIXED: Mapping[str, Rule] = {
    **{topics.events(one): _of(**{one: types}) for one, types in catalogue.EVENTS.items()},
    **{topics.work(one): _of(**{one: catalogue.WORK.get(one, {})}) for one in topics.SERVICES},
    topics.IDENTITY_CHECKS: _of(registration=catalogue.CHECKS),
    topics.REGISTRATION_KEY_CHECK: _of(registration=catalogue.KEYS),
    topics.REPORTING_COVERAGE: _of(reporting=catalogue.COVERAGE),
    topics.BILLING_INTAKE: Rule(frozenset(catalogue.FROM_OUTSIDE[topics.BILLING_INTAKE]), {}, (_TREASURY, _OFFICER)),
    **{
        name: Rule(frozenset(catalogue.FROM_OUTSIDE[name]), {}, (_OFFICER,))
        for name in (topics.VERIFICATION_INTAKE, topics.CLAIMS_OFFICERS, topics.REGISTRATION_OFFICERS)
    },
}
_COMMANDS = {service: frozenset(types) for service, types in catalogue.AGENCY_COMMANDS.items()}
_ANSWERS = _of(**catalogue.FEEDBACK)


@lru_cache(maxsize=4_096)
def rule_of(topic: str) -> Rule | None:
    """The rule of a topic, fixed or an agency's. Cached, because it is looked up for every record."""
    fixed = _FIXED.get(topic)
    if fixed is not None:
        return fixed
    agency = topics.agency_of_topic(topic)
    if agency is not None:
        service = topic.split("-", 1)[0]
        types = _COMMANDS[service]
        return Rule(types, {f"agency/{agency.regency}/{agency.agency}": types})
    return _ANSWERS if _FEEDBACK.fullmatch(topic) else None
