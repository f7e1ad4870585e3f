"""Judges an installation from outside: reads Kafka, MongoDB and the dashboard, and checks every law on them.

Shares no code with the product. Every complaint names its law and the record or document that breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults import laws, laws_money
from tests.faults.observed import OWN_TOPICS, SUBSCRIPTIONS, Complaints, Observed, distinct, name_of
from tests.faults.reading import observe, quiet

SERVICES = tuple(SUBSCRIPTIONS)
_SHOWN = 8


@dataclass(slots=True)
class Report:
    """The counts of a check, and every broken law."""

    counts: dict[str, int] = field(default_factory=dict)
    complaints: dict[str, list[str]] = field(default_factory=dict)

    def hold(self) -> None:
        """Raises AssertionError with the complaints, if there are any."""
        lines = [
            f"{law}: {len(found)} complaints\n" + "".join(f"    {one}\n" for one in found[:_SHOWN])
            for law, found in self.complaints.items()
        ]
        assert not lines, f"\n{''.join(lines)}  counted: {self.counts}"


async def check(
    bootstrap: str, mongo_url: str, reporting_url: str | None, services: Sequence[str] = SERVICES
) -> Report:
    """Reads Kafka, MongoDB and reporting's figures, and judges them."""
    return judge(await observe(bootstrap, mongo_url, reporting_url, services))


async def check_when_quiet(
    bootstrap: str,
    mongo_url: str,
    reporting_url: str | None,
    services: Sequence[str] = SERVICES,
    *,
    within_s: float = 120.0,
) -> Report:
    """Waits until the lag is zero without help, then checks every law. Returns the report with its counts."""
    waited_s = await quiet(bootstrap, mongo_url, services, within_s)
    report = await check(bootstrap, mongo_url, reporting_url, services)
    report.counts["quiet_after_ms"] = int(waited_s * 1000)
    report.hold()
    return report


def judge(found: Observed) -> Report:
    """Checks every law on what was observed."""
    report = Report(counts=_counts(found))
    for law, complain in LAWS.items():
        complaints = list(complain(found))
        if complaints:
            report.complaints[law] = complaints
    return report


def _counts(found: Observed) -> dict[str, int]:
    own = [name_of(one) for one in found.of(OWN_TOPICS)]
    return {
        "intake": len(found.of(r".+-intake.*")),
        "answers": len(distinct(found, r"feedback-.+", "submission.answered.v1")),
        "dead_letters": len({one.headers.get("dlq_id") for one in found.records if one.topic.endswith("-dlq")}),
        "premiums": len(distinct(found, "billing-events", "premium.billed.v1")),
        "repeats": len(own) - len(set(own)),
    }


LAWS: Mapping[str, Callable[[Observed], Complaints]] = {
    law.__name__.replace("_", " "): law
    for law in (
        laws.every_row_is_answered_once_or_put_aside,
        laws.every_command_is_answered_once,
        laws.an_id_has_one_content,
        laws_money.nobody_is_billed_twice,
        laws_money.money_is_conserved,
        laws_money.a_death_is_paid_once,
        laws.a_document_took_each_input_once,
        laws.what_is_saved_is_published_and_nothing_else,
        laws.outcomes_of_an_aggregate_come_in_order,
        laws.reporting_shows_what_the_topics_say,
        laws.nothing_of_our_own_is_put_aside,
        laws.nothing_is_owed,
        laws.nothing_waits,
    )
}
