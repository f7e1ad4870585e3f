"""Free text of agencies that names people: only the sender may read it.

The test puts names, telephones, NIKs in every spelling and account numbers into every text field of agencies, officers
and treasuries. Then it searches for them in everything published outside the restricted topics and the agencies' own
feedback, in everything that reporting keeps, in the metrics and in the log.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import orjson
import pytest
import structlog
from prometheus_client import generate_latest

from shared.kernel.identity import worker_id
from tests.simulation.stories import ID_KEY
from tests.spoofing.town import Town

NIKS = ("6408044107850002", "6408040303790001")
SPELLINGS = [f"{n[:6]} {n[6:12]} {n[12:]}" for n in NIKS] + [f"{n[:4]}.{n[4:8]}.{n[8:12]}.{n[12:]}" for n in NIKS]
NAME, OTHER_NAME = "SITI AMINAH BINTI RAHMAN", "Budi Santoso"
PHONE, ACCOUNT = "081234567890", "0123456789012345"
SECRETS = [
    *NIKS,
    *SPELLINGS,
    "AMINAH",
    "RAHMAN",
    "Budi",
    "Santoso",
    PHONE,
    "0812-3456-7890",
    "+62 812 3456 7890",
    ACCOUNT,
]
WORDS = [f"{NAME} {PHONE}", *SPELLINGS, f"{OTHER_NAME} rek {ACCOUNT}", NIKS[1], "0812-3456-7890", "+62 812 3456 7890"]
DINSOS, HOSPITAL = "agency/64.08/dinsos", "agency/64.08/rumahsakit"
TREASURY, OFFICER = "treasury/64.08", "officer/petugas-1"
WORKER = worker_id(ID_KEY, NIKS[0])


def registration(words: str, number: int) -> dict[str, Any]:
    return {
        "submission_id": f"{words} #{number}",
        "nik": NIKS[number % 2],
        "name": NAME,
        "birth_date": "1985-07-01" if number % 2 == 0 else "1979-03-03",
        "sex": "F" if number % 2 == 0 else "M",
        "village": "64.08.04.2001",
        "sector": "fisheries",
        "occupation": f"nelayan {words}",
        "birth_place": words,
        "mother_name": OTHER_NAME,
        "phone": PHONE,
        "address": words,
        "heir": {"name": OTHER_NAME, "relation": words, "phone": PHONE},
        "consent": {"given_at": "2026-01-04", "method": words},
    }


def agency_words(town: Town, words: str, number: int) -> None:
    """Sends everything that an agency may send, with these words in every text field."""
    intake = "registration-intake-6408-dinsos"

    def send(kind: str, data: dict[str, Any]) -> None:
        name = f"{words} {kind} {number}"
        more = {"correlationid": words, "causationid": words, "causationsource": words, "subject": words}
        town.write(intake, DINSOS, kind, {"submission_id": words, **data}, name, **more)

    nik = NIKS[number % 2]
    send("worker.register.v1", registration(words, number))
    send("worker.update.v1", {"nik": nik, "occupation": words, "address": words})
    send("worker.attest.v1", {"nik": nik, "sector": "fisheries", "occupation": words, "attested_on": "2026-01-04"})
    send(
        "employer.report-workers.v1",
        {
            "employer_id": f"NPP-{number}",
            "employer_name": words,
            "workers": [{"nik": nik, "started_on": "2026-01-02", "contract_no": words}],
        },
    )
    send("employer.report-workers.v1", {"employer_id": words, "employer_name": words, "workers": [{"nik": nik}]})
    project = {"contractor": words, "contract_value": 1, "starts_on": "2025-01-02", "ends_on": "2026-12-31"}
    for project_no in (f"P-{number}", words):
        send("project.register.v1", {**project, "project_no": project_no, "village": "64.08.04.2001"})
    meeting = {"held_on": "2026-01-03", "village": "64.08.04.2001", "sector": "fisheries", "attendees": [words]}
    for meeting_id in (f"M-{number}", words):
        send("outreach.report.v1", {**meeting, "meeting_id": meeting_id, "agency": words})
    send("sticker.install.v1", {"sticker_no": words, "installed_on": "2026-01-03", "by": words})
    send("worker.withdraw.v1", {"nik": nik, "reason": words, "date": "2026-01-04"})
    send(words, {})


def claims_words(town: Town, words: str, number: int) -> None:
    intake = "claims-intake-6408-rumahsakit"
    claim = {
        "nik": NIKS[0],
        "kind": "jkm",
        "event_date": "2026-01-03",
        "cause": "natural",
        "details": {"outcome": "death", "children": [{"name": words, "birth_date": "2015-01-01", "level": "sd"}]},
        "documents": ["form-4", words],
        "claimant": {"name": OTHER_NAME, "relation": words, "account": ACCOUNT},
    }
    well_formed = {**claim, "documents": ["form-4"], "claim_no": f"KLM-{number}-1"}
    town.write(intake, HOSPITAL, "claim.submit.v1", well_formed, f"{words}/well-formed/{number}")
    for claim_no in (f"KLM-{number}", words):
        for kind, data in (
            ("claim.submit.v1", claim),
            ("claim.add-documents.v1", {"documents": [words]}),
            ("claim.withdraw.v1", {"reason": words}),
        ):
            name = f"{words}/{kind}/{number}/{claim_no}"
            town.write(intake, HOSPITAL, kind, {"claim_no": claim_no, **data}, name, correlationid=words)
        decision = {"agency": "64.08/rumahsakit", "claim_no": claim_no, "decision": words, "reason": words}
        town.write("claims-officers", OFFICER, "claim.decide.v1", decision, f"{words}/{claim_no}")
        town.write("claims-officers", OFFICER, "claim.decide.v1", {**decision, "agency": words}, f"{words}:{claim_no}")


def officials_words(town: Town, words: str, number: int) -> None:
    decided = {"decision": "verified", "officer": words, "reason": words}
    for worker in (words, WORKER):
        town.write(
            "verification-intake", OFFICER, "identity.decide.v1", {**decided, "worker_id": worker}, words + worker
        )
        pair = {"first": worker, "second": words, "decision": "merge", "keep": words, "officer": words, "reason": words}
        town.write("registration-officers", OFFICER, "suspect.decide.v1", pair, words + worker)
    finding = {"finding_id": f"employment/{words}/x/y/z", "explanation": words, "agency": words, "submission_id": words}
    town.write("registration-officers", OFFICER, "finding.explain.v1", finding, f"{words} {number}")
    answers = {"invoice_id": f"INV-6408-2026-02-{number}", "nik": words, "answered_at": "2026-01-02", "officer": words}
    for said in (
        {**answers, "kpj": words},
        {**answers, "nik": NIKS[0], "refused": words, "officer": None, "invoice_id": "INV-6408-2026-02-apbd-regency-1"},
        {**answers, "invoice_id": words, "status": words, "answered_at": words},
    ):
        name = f"{words} {len(str(said))} {number}"
        town.write("registration-officers", OFFICER, "participant.answer.v1", said, name)
    budget = {"regency": "64.08", "year": 2026, "funding": "csr", "jkk": 10**6, "jkm": 10**6, "target_workers": 1}
    for kind, data in (
        ("budget.set.v1", {**budget, "decree_no": words}),
        ("budget.set.v1", {"regency": words, "funding": words, "decree_no": words}),
        ("billing.run.v1", {"regency": "64.08", "period": words, "funding": words}),
        ("invoice.pay.v1", {"invoice_id": words, "amount": 1, "paid_on": "2026-01-04", "reference": words}),
        ("invoice.pay.v1", {"invoice_id": f"INV-{number}", "amount": 1, "paid_on": words, "reference": words}),
    ):
        town.write("billing-intake", TREASURY, kind, data, f"{words} {kind} {number}")


def found_in(text: str) -> list[str]:
    return [one for one in SECRETS if one.casefold() in text.casefold()]


async def test_no_text_that_names_a_person_reaches_other_readers(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    structlog.reset_defaults()
    logging.getLogger().setLevel(logging.DEBUG)
    for number, words in enumerate(WORDS):
        agency_words(town, words, number)
        claims_words(town, words, number)
        officials_words(town, words, number)
        await town.settle()
    shown = town.open_records()
    kinds = {orjson.loads(one.value or b"{}")["type"] for one in shown}
    assert {
        *("worker.registered.v1", "worker.updated.v1", "employer.found-noncompliant.v1", "project.registered.v1"),
        *("outreach.held.v1", "claim.registered.v1", "claim.rejected.v1", "claim.decide.refused.v1"),
        *("identity.decide.refused.v1", "suspect.decide.refused.v1", "finding.explain.refused.v1"),
        "participant.answer.refused.v1",
        *("budget.set-accepted.v1", "budget.set.refused.v1", "billing.run.refused.v1", "invoice.pay.refused.v1"),
    } <= kinds, "the test has lost its grip on what is published"
    for one in shown:
        whole = b" ".join([one.key or b"", one.value or b"", repr(one.headers).encode()]).decode()
        assert found_in(whole) == [], whole
    assert found_in(repr(town.documents("reporting"))) == []
    for service, metrics in town.metrics.items():
        assert found_in(generate_latest(metrics.registry).decode()) == [], service
    said = capsys.readouterr()
    assert found_in(said.out + said.err) == []


async def test_the_agency_gets_its_own_words_and_a_trace_stays_complete(town: Town) -> None:
    words = WORDS[0]
    town.write("registration-intake-6408-dinsos", DINSOS, "worker.register.v1", registration(words, 0), words)
    await town.settle()
    (answer,) = town.said("submission.answered.v1")
    (registered,) = town.said("worker.registered.v1")
    assert answer["data"]["submission_id"] == f"{words} #0"
    assert (answer["causationid"], answer["causationsource"]) == (words, DINSOS)
    # The name of the first cause connects the open event to the agency's own; it contains no information by itself.
    assert registered["causationid"] == registered["correlationid"] == answer["correlationid"]
    assert re.fullmatch(r"[0-9a-f-]{36}", registered["correlationid"])
    (asked,) = [orjson.loads(one.value or b"") for one in town.topics.published if one.topic == "identity-checks"]
    assert asked["correlationid"] == registered["correlationid"]
