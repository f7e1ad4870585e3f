"""A writer on one topic, or on all topics, must not be able to get anybody paid, verified or believed."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from shared.contracts import catalogue, topics
from shared.kernel.identity import worker_id
from shared.runtime import deadletters
from tests.simulation.stories import ID_KEY
from tests.spoofing.town import Town

HOSPITAL = "claims-intake-6408-rumahsakit"
INVENTED = worker_id(ID_KEY, "6408044107850002")
CLAIM: dict[str, Any] = {
    "claim_no": "KLM-1",
    "nik": "6408044107850002",
    "kind": "jkk",
    "event_date": "2026-01-04",
    "cause": "accident",
    "details": {"outcome": "death"},
    "documents": [
        *("kk1", "kk2", "doctor-letter", "participant-card", "id-card", "chronology", "witness-statement"),
    ],
    "claimant": {"name": "AHLI WARIS", "relation": "spouse", "account": "A-1"},
}
BILLED = {
    "worker_id": INVENTED,
    "regency": "64.08",
    "district": "64.08.04",
    "village": "64.08.04.2001",
    "sector": "fisheries",
    "sex": "F",
    "birth_month": "1985-07",
    "income_base": 1_000_000,
    "period": "2026-01",
    "funding": "apbd-regency",
    "lines": [{"programme": "JKK", "amount": 10_000, "rule": "x"}, {"programme": "JKM", "amount": 6_800, "rule": "x"}],
    "total": 16_800,
    "run_id": "RUN-1",
    "invoice_id": "INV-1",
}
PAID = {
    "invoice_id": "INV-1",
    "regency": "64.08",
    "period": "2026-01",
    "funding": "apbd-regency",
    "total": 16_800,
    "workers": 1,
    "reference": "SP2D-1",
    "paid_on": "2026-01-02",
}
DECISION = {"agency": "64.08/rumahsakit", "claim_no": "KLM-1", "decision": "approved", "reason": "ok", "officer": "x"}
PAYMENTS = ("claim.approved.v1", "claim.paid.v1", "premium.paid.v1", "premium.billed.v1", "identity.verified.v1")


@pytest.mark.parametrize("speaker", ["payung/billing", "agency/64.08/rumahsakit", "officer/x", "payung/claims"])
async def test_seventy_million_for_an_invented_worker(town: Town, speaker: str) -> None:
    """The attacker writes only to the hospital's own topic: premiums, their payment, a claim and its decision."""
    town.write(HOSPITAL, speaker, "premium.billed.v1", BILLED)
    town.write(HOSPITAL, speaker, "premium.paid.v1", PAID)
    town.write(HOSPITAL, speaker, "claim.decide.v1", DECISION)
    town.write(HOSPITAL, "agency/64.08/rumahsakit", "claim.submit.v1", CLAIM)
    town.write(HOSPITAL, "agency/64.08/rumahsakit", "claim.decide.v1", DECISION)
    step = {"claim": "64.08/rumahsakit/KLM-1", "round": 1}
    town.write(HOSPITAL, speaker, "claim.reserved", step)
    town.write(HOSPITAL, speaker, "benefit.transferred", {**step, "paid_on": "2026-01-05", "reference": "B-1"})
    await town.settle()
    assert town.letters() == [("claims", "unknown-type")] * 6
    assert town.said(*PAYMENTS) == []
    claim = town.documents("claims")["claims"]["64.08/rumahsakit/KLM-1"]["state"]
    assert (claim["status"], claim.get("ruling"), claim["benefits"]) == ("held", None, [])
    assert "covers" not in town.documents("claims")


@pytest.mark.parametrize("source", ["agency/64.08/rumahsakit", "payung/billing", "payung/claims", "treasury/64.08"])
async def test_the_same_on_every_other_topic_that_a_service_reads(town: Town, source: str) -> None:
    """The broker accepts everything: each service puts aside every event from a wrong source."""
    wrong = 0
    for topic in ("claims-officers", "claims-work", "billing-events", "registration-events"):
        for kind, data in (
            ("premium.billed.v1", BILLED),
            ("premium.paid.v1", PAID),
            ("claim.decide.v1", DECISION),
            ("benefit.transferred", {"claim": "c", "round": 1, "paid_on": "2026-01-05", "reference": "B-1"}),
        ):
            allowed = (topic, source, kind) in {
                ("billing-events", "payung/billing", "premium.billed.v1"),
                ("billing-events", "payung/billing", "premium.paid.v1"),
                ("claims-work", "payung/claims", "benefit.transferred"),
            }
            if not allowed:
                town.write(topic, source, kind, data)
                wrong += 1
    await town.settle()
    assert [one for one in town.letters() if one[0] == "claims"] != []
    assert len([one for one in town.letters() if one[0] == "claims"]) == wrong
    assert all(town.documents(service) == {} for service in topics.SERVICES)


@pytest.mark.parametrize(
    "topic", ["registration-intake-6408-dinsos", "verification-intake", "billing-intake", HOSPITAL]
)
async def test_no_intake_takes_any_internal_event_of_any_service(town: Town, topic: str) -> None:
    owner = topics.agency_of_topic(topic)
    speaker = f"agency/{owner[0]}/{owner[1]}" if owner else "officer/x"
    kinds = sorted(catalogue.PUBLISHED_TYPES | {kind for by_type in catalogue.WORK.values() for kind in by_type})
    for kind in kinds:
        town.write(topic, speaker, kind, {**BILLED, **PAID, "round": 1, "claim": "c"})
    await town.settle()
    assert [code for _, code in town.letters()] == ["unknown-type"] * len(kinds)
    assert all(town.documents(service) == {} for service in topics.SERVICES)


async def test_an_officer_decides_under_the_name_that_signs_and_no_agency_decides_at_all(town: Town) -> None:
    town.write(HOSPITAL, "agency/64.08/rumahsakit", "claim.submit.v1", CLAIM)
    await town.settle()
    town.write("claims-officers", "agency/64.08/rumahsakit", "claim.decide.v1", DECISION)
    town.write("claims-officers", "officer/rina", "claim.decide.v1", {**DECISION, "officer": "Budi"})
    town.write(
        "verification-intake",
        "officer/rina",
        "identity.decide.v1",
        {"worker_id": INVENTED, "decision": "verified", "officer": "Budi", "reason": "ok"},
    )
    town.write(
        "registration-officers",
        "officer/rina",
        "suspect.decide.v1",
        {"first": "a" * 26, "second": "b" * 26, "decision": "different", "officer": "Budi", "reason": "ok"},
    )
    town.write(
        "registration-officers",
        "officer/rina",
        "finding.explain.v1",
        {
            "finding_id": f"employment/NPP-1/{INVENTED}/registered-late/2026-01-02",
            "explanation": "x",
            "officer": "Budi",
        },
    )
    answer = {"invoice_id": "INV-6408-2026-02-apbd-regency-1", "nik": "6408044107850002", "kpj": "24012345678"}
    town.write(
        "registration-officers",
        "officer/rina",
        "participant.answer.v1",
        {**answer, "answered_at": "2026-01-02", "officer": "Budi"},
    )
    await town.settle()
    assert town.letters() == [("claims", "foreign-source")]
    refused = (
        "claim.decide.refused.v1",
        "identity.decide.refused.v1",
        "suspect.decide.refused.v1",
        "finding.explain.refused.v1",
        "participant.answer.refused.v1",
    )
    said = {one["type"]: one for one in town.said(*refused)}
    assert sorted(said) == sorted(refused)
    for one in said.values():
        assert one["data"]["reasons"] == ["field-invalid:officer"]
        assert one["data"].get("officer", "rina") == "rina"
        assert one["causationsource"] == "officer/rina"


async def test_commands_for_another_regency_or_agency_are_refused(town: Town) -> None:
    form = {"submission_id": "S-1", "nik": "6408044107850002"}
    for source in (
        "agency/64.02/dinsos",
        "agency/64.08/perikanan",
        "officer/x",
        "treasury/64.08",
        "payung/registration",
    ):
        town.write("registration-intake-6408-dinsos", source, "worker.register.v1", form)
    town.write("registration-intake-9999-x", "agency/99.99/x", "premium.paid.v1", PAID)
    town.write(
        "feedback-6408-dinsos",
        "agency/64.08/dinsos",
        "submission.answered.v1",
        {"submission_id": "S-1", "outcome": "registered", "reasons": []},
    )
    await town.settle()
    codes = [code for _, code in town.letters()]
    assert codes == ["foreign-source"] * 5 + ["unknown-type", "foreign-source"]
    assert town.documents("reporting") == {}


async def test_a_dead_letter_leaves_an_audit_line_without_its_content(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test may have set up logging; a logger keeps what was set up when it was used first.
    monkeypatch.setattr(deadletters, "log", structlog.get_logger())
    town.write(HOSPITAL, "payung/billing", "premium.billed.v1", BILLED)
    town.write(HOSPITAL, "agency/64.08/SITI AMINAH", "claim.submit.v1", CLAIM)
    town.write(topics.CLAIMS_OFFICERS, "agency/64.08/rumahsakit", "claim.decide.v1", DECISION)
    with capture_logs() as lines:
        await town.settle()
    found = [one for one in lines if one["event"] == "audit"]
    assert [(one["what"], one["topic"], one["codes"], one["records"]) for one in found] == [
        ("put aside", HOSPITAL, ["unknown-type"], 1),
        ("put aside", HOSPITAL, ["foreign-source"], 1),
        ("put aside", topics.CLAIMS_OFFICERS, ["foreign-source"], 1),
    ]
    assert all(one["places"] for one in found)
    assert "AMINAH" not in str(lines)
    assert INVENTED not in str(lines)
