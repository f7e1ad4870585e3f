"""The laws of effectively once, held against what was observed. Pure; shares no code with the product.

Every complaint names its law and the record or document it is about. `Report.hold()` raises with all of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.observed import SUBSCRIPTIONS, Observed, Seen, observe, quiet

SERVICES = tuple(SUBSCRIPTIONS)
_SHOWN = 8
# One line of such a list is one answer; of every other event the event itself.
_MANY_ANSWERS = frozenset({"employer.report-workers.v1"})
_ANSWERS_OF: Mapping[str, frozenset[str]] = {
    "budget.set.v1": frozenset({"budget.set-accepted.v1", "budget.set.refused.v1"}),
    "billing.run.v1": frozenset({"billing.run-completed.v1", "billing.run.refused.v1"}),
    "invoice.pay.v1": frozenset({"premium.paid.v1", "invoice.pay.refused.v1"}),
}
Complaints = Iterator[str]
Event = Mapping[str, Any]


@dataclass(slots=True)
class Report:
    """What was found, and every law that does not hold."""

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
    """Waits until lag has returned to zero by itself, then holds every law; the report, for its counts."""
    waited_s = await quiet(bootstrap, mongo_url, services, within_s)
    report = await check(bootstrap, mongo_url, reporting_url, services)
    report.counts["quiet_after_ms"] = int(waited_s * 1000)
    report.hold()
    return report


def judge(found: Observed) -> Report:
    """Holds every law against what was observed."""
    report = Report(counts=_counts(found))
    for law, complain in LAWS.items():
        complaints = list(complain(found))
        if complaints:
            report.complaints[law] = complaints
    return report


def _counts(found: Observed) -> dict[str, int]:
    own = [_named(one) for one in found.of(_OWN_TOPICS)]
    return {
        "intake": len(found.of(r".+-intake.*")),
        "answers": len(_distinct(found, r"feedback-.+", "submission.answered.v1")),
        "dead_letters": len({one.headers.get("dlq_id") for one in found.records if one.topic.endswith("-dlq")}),
        "premiums": len(_distinct(found, "billing-events", "premium.billed.v1")),
        "repeats": len(own) - len(set(own)),
    }


# -- reading helpers --------------------------------------------------------------------------------------------------

_OWN_TOPICS = r".+-events|feedback-.+|identity-checks|.+-work"


def _event(one: Seen) -> Event:
    assert one.event is not None
    return one.event


def _named(one: Seen) -> tuple[str, str, str]:
    return one.topic, str(_event(one)["source"]), str(_event(one)["id"])


def _cause(event: Event) -> tuple[str, str]:
    return str(event.get("causationsource")), str(event.get("causationid"))


def _distinct(found: Observed, topics: str, *types: str) -> list[Event]:
    """The events of these types, each once, by topic, source and id, in the order of their first appearance."""
    kept: dict[tuple[str, str, str], Event] = {}
    for one in found.of(topics):
        if _event(one)["type"] in types:
            kept.setdefault(_named(one), _event(one))
    return list(kept.values())


def _dead(found: Observed) -> set[tuple[str, int, int]]:
    return {
        (one.headers["dlq_topic"].decode(), int(one.headers["dlq_partition"]), int(one.headers["dlq_offset"]))
        for one in found.records
        if one.topic.endswith("-dlq") and "dlq_topic" in one.headers
    }


def _content(one: Seen) -> str:
    return json.dumps([_event(one)["type"], _event(one).get("data")], sort_keys=True)


# -- the laws ---------------------------------------------------------------------------------------------------------


def every_row_is_answered_once_or_put_aside(found: Observed) -> Complaints:
    """I1, I3: rows sent = answers + dead letters, name by name."""
    dead = _dead(found)
    answers = Counter(_cause(one) for one in _distinct(found, r"feedback-.+", "submission.answered.v1"))
    sent: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in found.records:
        if not one.topic.startswith("registration-intake-") or one.place in dead:
            continue
        if one.event is None:
            yield f"{one.place} cannot be read and is no dead letter"
        else:
            sent[str(one.event["source"]), str(one.event["id"])].append(one)
    for name, records in sent.items():
        # The same name with other content is one refusal more, however often it comes.
        wanted = min(2, len({_content(one) for one in records}))
        many = any(_event(one)["type"] in _MANY_ANSWERS for one in records)
        if answers[name] < wanted or (answers[name] > wanted and not many):
            yield f"{'|'.join(name)} at {records[0].place} has {answers[name]} answers, not {wanted}"
    for name in answers.keys() - sent.keys():
        yield f"an answer names {'|'.join(name)}, which nobody sent"


def every_command_is_answered_once(found: Observed) -> Complaints:
    """I1, I2 for the treasury's commands and the claims, followed by cause or by first cause."""
    dead = _dead(found)
    ends: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for one in found.of("billing-events|claims-events"):
        event = _event(one)
        for cause in {str(event.get("causationid")), str(event.get("correlationid"))}:
            ends[cause].add((str(event["type"]), str(event["id"])))
    for one in found.of("billing-intake|claims-intake-.+"):
        if one.place in dead:
            continue
        kind, name = str(_event(one)["type"]), str(_event(one)["id"])
        wanted = _ANSWERS_OF.get(kind)
        made = [end for end in ends[name] if wanted is None or end[0] in wanted]
        if not made or (wanted is not None and len(made) > 1):
            yield f"{kind} {name} at {one.place} has the outcomes {sorted(made)}"


def an_id_has_one_content(found: Observed) -> Complaints:
    """I2: a repeat has the same id and the same bytes; only answers of due work carry the time of their call."""
    first: dict[tuple[str, str, str], Seen] = {}
    for one in found.of(_OWN_TOPICS):
        if _event(one).get("causationid") == _event(one)["id"]:
            continue
        standing = first.setdefault(_named(one), one)
        if standing.value != one.value:
            yield f"{_event(one)['type']} {_event(one)['id']} differs between {standing.place} and {one.place}"


def nobody_is_billed_twice(found: Observed) -> Complaints:
    """One premium per worker and period, in the events and in the store alike."""
    billed: dict[str, set[str]] = defaultdict(set)
    for one in _distinct(found, "billing-events", "premium.billed.v1"):
        billed[f"{one['data']['worker_id']}|{one['data']['period']}"].add(str(one["id"]))
    for key, ids in billed.items():
        if len(ids) > 1:
            yield f"{key} is billed by {len(ids)} events: {sorted(ids)}"
    if "billing" in found.documents:
        stored = {str(one["_id"]) for one in found.documents["billing"].get("premiums", ())}
        yield from (f"{key} is stored but no event says so" for key in stored - billed.keys())
        yield from (f"{key} is an event but not stored" for key in billed.keys() - stored)


def money_is_conserved(found: Observed) -> Complaints:
    """I3: each run adds up to its premiums, each payment to its invoice, each budget to what is left of it."""
    by_run: dict[str, list[Event]] = defaultdict(list)
    by_budget: dict[tuple[str, int, str], Counter[str]] = defaultdict(Counter)
    for one in _distinct(found, "billing-events", "premium.billed.v1"):
        data = one["data"]
        by_run[data["run_id"]].append(data)
        if sum(line["amount"] for line in data["lines"]) != data["total"]:
            yield f"premium {one['id']} does not add up"
        for line in data["lines"]:
            by_budget[data["regency"], int(data["period"][:4]), data["funding"]][line["programme"].lower()] += line[
                "amount"
            ]
    completed = _distinct(found, "billing-events", "billing.run-completed.v1")
    for one in completed:
        data, premiums = one["data"], by_run.get(one["data"]["run_id"], [])
        counted = (len(premiums), sum(premium["total"] for premium in premiums))
        if counted != (data["billed_workers"], data["total"]):
            yield f"{data['run_id']} says {(data['billed_workers'], data['total'])}, its premiums say {counted}"
    for name in by_run.keys() - {one["data"]["run_id"] for one in completed}:
        yield f"{name} has premiums but never completed"
    totals = {one["data"]["invoice_id"]: one["data"] for one in completed}
    for one in _distinct(found, "billing-events", "premium.paid.v1"):
        run = totals.get(one["data"]["invoice_id"], {})
        if (one["data"]["total"], one["data"]["workers"]) != (run.get("total"), run.get("billed_workers")):
            yield f"{one['data']['invoice_id']} was paid {one['data']['total']}, billed {run.get('total')}"
    yield from _budgets(found, by_budget)


def _budgets(found: Observed, spent: Mapping[tuple[str, int, str], Counter[str]]) -> Complaints:
    for stored in found.documents.get("billing", {}).get("budgets", ()):
        state = stored["state"]
        name = (str(state["regency"]), int(state["year"]), str(state["funding"]))
        ceilings, committed, reserved = (_amounts(state[key]) for key in ("ceilings", "committed", "reserved"))
        for account in ("jkk", "jkm"):
            billed = spent.get(name, Counter())[account]
            if committed.get(account, 0) != billed:
                yield f"budget {name}: {account} committed {committed.get(account)}, premiums sum to {billed}"
            if reserved.get(account, 0):
                yield f"budget {name}: {account} has {reserved[account]} set aside and no run is open"
            if ceilings and committed.get(account, 0) > ceilings.get(account, 0):
                yield f"budget {name}: {account} committed {committed[account]} of {ceilings.get(account)}"


def _amounts(accounts: Any) -> dict[str, int]:
    """Two accounts as stored: a mapping or a pair in the order JKK, JKM."""
    if accounts is None:
        return {}
    if isinstance(accounts, Mapping):
        return {str(name).lower(): int(value) for name, value in accounts.items()}
    return dict(zip(("jkk", "jkm"), map(int, accounts), strict=True))


def a_document_took_each_input_once(found: Observed) -> Complaints:
    """I1: the version is the number of inputs, and no input stands twice."""
    for where, document in _documents(found):
        names = [str(one["n"]) for one in document["inputs"]]
        if document["version"] != len(names):
            yield f"{where} has version {document['version']} after {len(names)} inputs"
        yield from (f"{where} took {name} {times} times" for name, times in Counter(names).items() if times > 1)


def what_is_saved_is_published_and_nothing_else(found: Observed) -> Complaints:
    """I2, I5: every saved outcome stands on its topic; no outcome stands there that no document remembers."""
    on_kafka: dict[str, set[str]] = defaultdict(set)
    for one in found.of(_OWN_TOPICS):
        on_kafka[one.topic].add(str(_event(one)["id"]))
    saved: set[str] = set()
    emptied: set[str] = set()
    for where, document in _documents(found):
        for taken in document["inputs"]:
            if not taken["o"]:
                emptied.add(str(taken["n"]))
            for outcome in taken["o"]:
                saved.add(str(outcome["i"]))
                if str(outcome["i"]) not in on_kafka[outcome["t"]]:
                    yield f"{where}: {outcome['y']} {outcome['i']} was saved and never reached {outcome['t']}"
    for one in found.of(r"(registration|verification|billing|claims)-events|feedback-.+|identity-checks"):
        event = _event(one)
        service = str(event["source"]).removeprefix("payung/")
        if service in found.documents and event["id"] not in saved and "|".join(_cause(event)) not in emptied:
            yield f"{event['type']} {event['id']} at {one.place} was published and no document remembers it"


def _documents(found: Observed) -> Iterator[tuple[str, dict[str, Any]]]:
    for service, collections in found.documents.items():
        for name, documents in collections.items():
            for one in documents:
                yield f"{service}.{name}/{one['_id']}", one


def outcomes_of_an_aggregate_come_in_order(found: Observed) -> Complaints:
    """I4: first appearances of a worker's or a claim's outcomes never go back in version."""
    for topics, key in (("(registration|verification)-events", "worker_id"), ("claims-events", "claim_no")):
        latest: dict[tuple[str, int, str, str], int] = {}
        seen: set[tuple[str, str, str]] = set()
        for one in sorted(found.of(topics), key=lambda one: one.place):
            event = _event(one)
            if _named(one) in seen or "sequence" not in event or event["data"].get(key) is None:
                continue
            seen.add(_named(one))
            aggregate = (one.topic, one.partition, str(event["data"].get("agency", "")), str(event["data"][key]))
            if event["sequence"] < latest.get(aggregate, 0):
                yield f"{event['type']} {event['id']} at {one.place} is version {event['sequence']} after a later one"
            latest[aggregate] = max(latest.get(aggregate, 0), int(event["sequence"]))


def reporting_shows_what_the_topics_say(found: Observed) -> Complaints:
    """The dashboard's totals, counted again from the open events."""
    gone = {one["data"]["worker_id"] for one in _distinct(found, "registration-events", "worker.withdrawn.v1")}
    verdicts: dict[str, tuple[int, str, str]] = {}
    for one in _distinct(found, "verification-events", *(f"identity.{s}.v1" for s in _VERDICTS)):
        worker, status = str(one["data"]["worker_id"]), str(one["type"]).split(".")[1]
        verdicts[worker] = max(
            verdicts.get(worker, (0, "", "")), (int(one["sequence"]), status, one["data"]["regency"])
        )
    registered = _distinct(found, "registration-events", "worker.registered.v1")
    premiums = _distinct(found, "billing-events", "premium.billed.v1")
    paid = {one["data"]["invoice_id"] for one in _distinct(found, "billing-events", "premium.paid.v1")}
    for (regency, period), totals in found.figures.items():
        billed = [
            one["data"] for one in premiums if (one["data"]["regency"], one["data"]["period"]) == (regency, period)
        ]
        counted = {
            "registered": len(
                {one["data"]["worker_id"] for one in registered if one["data"]["regency"] == regency} - gone
            ),
            "billed": len({one["worker_id"] for one in billed}),
            "covered": len({one["worker_id"] for one in billed if one["invoice_id"] in paid}),
            **{s: sum(1 for one in verdicts.values() if one[1:] == (s, regency)) for s in _VERDICTS[:3]},
        }
        shown = {name: totals[name] for name in counted}
        if shown != counted:
            yield f"{regency} {period}: reporting shows {shown}, the topics say {counted}"


_VERDICTS = ("verified", "held", "rejected", "ended")


def nothing_is_owed(found: Observed) -> Complaints:
    """No journal is open: what was saved was published, and whoever published it knows."""
    yield from (f"{service} has {open_} open journals" for service, open_ in found.journals.items() if open_)


def nothing_waits(found: Observed) -> Complaints:
    """I6: every group has committed every record of its topics, and none beyond the end."""
    yield from (f"{service}: {lags}" for service, lags in found.lags.items() if lags)


LAWS: Mapping[str, Callable[[Observed], Complaints]] = {
    re.sub("_", " ", law.__name__): law
    for law in (
        every_row_is_answered_once_or_put_aside,
        every_command_is_answered_once,
        an_id_has_one_content,
        nobody_is_billed_twice,
        money_is_conserved,
        a_document_took_each_input_once,
        what_is_saved_is_published_and_nothing_else,
        outcomes_of_an_aggregate_come_in_order,
        reporting_shows_what_the_topics_say,
        nothing_is_owed,
        nothing_waits,
    )
}
