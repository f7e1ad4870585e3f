"""The laws of effectively once, checked on what was observed: answers, ids, documents, order, figures, debts. Pure.

A law yields one complaint for each record or document that breaks it. The laws of money are in `laws_money.py`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.observed import (
    OWN_TOPICS,
    Complaints,
    Observed,
    Seen,
    cause_of,
    content_of,
    distinct,
    event_of,
    name_of,
    put_aside,
)

# In these events each line of the list is one answer; any other event is one answer itself.
_MANY_ANSWERS = frozenset({"employer.report-workers.v1"})
_ANSWERS_OF: Mapping[str, frozenset[str]] = {
    "budget.set.v1": frozenset({"budget.set-accepted.v1", "budget.set.refused.v1"}),
    "billing.run.v1": frozenset({"billing.run-completed.v1", "billing.run.refused.v1"}),
    "invoice.pay.v1": frozenset({"premium.paid.v1", "invoice.pay.refused.v1"}),
}


def every_row_is_answered_once_or_put_aside(found: Observed) -> Complaints:
    """I1, I3: rows sent = answers + dead letters, name by name."""
    dead = put_aside(found)
    answers = Counter(cause_of(one) for one in distinct(found, r"feedback-.+", "submission.answered.v1"))
    sent: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in found.records:
        if not one.topic.startswith("registration-intake-") or one.place in dead:
            continue
        if one.event is None:
            yield f"{one.place} cannot be read and is no dead letter"
        else:
            sent[str(one.event["source"]), str(one.event["id"])].append(one)
    for name, records in sent.items():
        # The same name with other content gives one more refusal, however often it comes.
        wanted = min(2, len({content_of(one) for one in records}))
        many = any(event_of(one)["type"] in _MANY_ANSWERS for one in records)
        if answers[name] < wanted or (answers[name] > wanted and not many):
            yield f"{'|'.join(name)} at {records[0].place} has {answers[name]} answers, not {wanted}"
    for name in answers.keys() - sent.keys():
        yield f"an answer names {'|'.join(name)}, which nobody sent"


def every_command_is_answered_once(found: Observed) -> Complaints:
    """I1, I2 for the treasury's commands and the claims; answers are found by cause or by first cause."""
    dead = put_aside(found)
    ends: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for one in found.of("billing-events|claims-events"):
        event = event_of(one)
        for cause in {str(event.get("causationid")), str(event.get("correlationid"))}:
            ends[cause].add((str(event["type"]), str(event["id"])))
    for one in found.of("billing-intake|claims-intake-.+"):
        if one.place in dead:
            continue
        kind, name = str(event_of(one)["type"]), str(event_of(one)["id"])
        wanted = _ANSWERS_OF.get(kind)
        made = [end for end in ends[name] if wanted is None or end[0] in wanted]
        if not made or (wanted is not None and len(made) > 1):
            yield f"{kind} {name} at {one.place} has the outcomes {sorted(made)}"


def an_id_has_one_content(found: Observed) -> Complaints:
    """I2: a repeat has the same id and the same bytes, except that answers of due work carry the time of the call."""
    first: dict[tuple[str, str, str], Seen] = {}
    for one in found.of(OWN_TOPICS):
        if event_of(one).get("causationid") == event_of(one)["id"]:
            continue
        standing = first.setdefault(name_of(one), one)
        if standing.value != one.value:
            yield f"{event_of(one)['type']} {event_of(one)['id']} differs between {standing.place} and {one.place}"


def a_document_took_each_input_once(found: Observed) -> Complaints:
    """I1: the version is the number of inputs, and no input occurs twice."""
    for where, document in _documents(found):
        names = [str(one["n"]) for one in document["inputs"]]
        if document["version"] != len(names):
            yield f"{where} has version {document['version']} after {len(names)} inputs"
        yield from (f"{where} took {name} {times} times" for name, times in Counter(names).items() if times > 1)


def what_is_saved_is_published_and_nothing_else(found: Observed) -> Complaints:
    """I2, I5: every saved outcome is on its topic, and every outcome on a topic is in a document."""
    on_kafka: dict[str, set[str]] = defaultdict(set)
    for one in found.of(OWN_TOPICS):
        on_kafka[one.topic].add(str(event_of(one)["id"]))
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
        event = event_of(one)
        service = str(event["source"]).removeprefix("payung/")
        if service in found.documents and event["id"] not in saved and "|".join(cause_of(event)) not in emptied:
            yield f"{event['type']} {event['id']} at {one.place} was published and no document remembers it"


def _documents(found: Observed) -> Iterator[tuple[str, dict[str, Any]]]:
    for service, collections in found.documents.items():
        for name, documents in collections.items():
            for one in documents:
                yield f"{service}.{name}/{one['_id']}", one


def outcomes_of_an_aggregate_come_in_order(found: Observed) -> Complaints:
    """I4: the first appearances of a worker's or a claim's outcomes are in the order of their versions."""
    for topics, key in (("(registration|verification)-events", "worker_id"), ("claims-events", "claim_no")):
        latest: dict[tuple[str, int, str, str], int] = {}
        seen: set[tuple[str, str, str]] = set()
        for one in sorted(found.of(topics), key=lambda one: one.place):
            event = event_of(one)
            if name_of(one) in seen or "sequence" not in event or event["data"].get(key) is None:
                continue
            seen.add(name_of(one))
            aggregate = (one.topic, one.partition, str(event["data"].get("agency", "")), str(event["data"][key]))
            if event["sequence"] < latest.get(aggregate, 0):
                yield f"{event['type']} {event['id']} at {one.place} is version {event['sequence']} after a later one"
            latest[aggregate] = max(latest.get(aggregate, 0), int(event["sequence"]))


def reporting_shows_what_the_topics_say(found: Observed) -> Complaints:
    """The dashboard's totals, counted again from the open events."""
    gone = {one["data"]["worker_id"] for one in distinct(found, "registration-events", "worker.withdrawn.v1")}
    verdicts: dict[str, tuple[int, str, str]] = {}
    for one in distinct(found, "verification-events", *(f"identity.{s}.v1" for s in _VERDICTS)):
        worker, status = str(one["data"]["worker_id"]), str(one["type"]).split(".")[1]
        verdicts[worker] = max(
            verdicts.get(worker, (0, "", "")), (int(one["sequence"]), status, one["data"]["regency"])
        )
    registered = distinct(found, "registration-events", "worker.registered.v1")
    premiums = distinct(found, "billing-events", "premium.billed.v1")
    paid = {one["data"]["invoice_id"] for one in distinct(found, "billing-events", "premium.paid.v1")}
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
    """No journal entry is open: everything saved was published, and its publisher knows that."""
    yield from (f"{service} has {open_} open journals" for service, open_ in found.journals.items() if open_)


def nothing_waits(found: Observed) -> Complaints:
    """I6: every group has committed every record of its topics, and nothing beyond the end."""
    yield from (f"{service}: {lags}" for service, lags in found.lags.items() if lags)


def nothing_of_our_own_is_put_aside(found: Observed) -> Complaints:
    """Each service can read the events of the others; a dead letter of such an event is a lost event."""
    for one in found.records:
        origin = one.headers.get("dlq_topic", b"").decode()
        if one.topic.endswith("-dlq") and re.fullmatch(OWN_TOPICS, origin):
            yield f"{one.topic} took {origin}/{one.headers['dlq_offset'].decode()}: {one.headers['dlq_error'].decode()}"
