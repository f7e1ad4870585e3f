"""Reports from events: what is counted, in which row, and that rows add up."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import openpyxl
import pytest
from fastapi import FastAPI, HTTPException

from services.reporting.api.board import Board, Snapshots
from services.reporting.api.web import follow, routes
from services.reporting.domain import reports
from services.reporting.domain.coverage import COUNTS
from services.reporting.domain.state import Meeting
from services.reporting.facts import Filters, Ledger, read_coverage
from services.reporting.settings import Settings
from shared.kernel.event import Event
from shared.runtime.http import problems

Make = Callable[..., Event]
SANGATTA = ("64.08.04", "64.08.04.2001")
MUARA = ("64.02.01", "64.02.01.2001")


def person(worker: str, place: tuple[str, str], **changes: Any) -> dict[str, Any]:
    base = {"worker_id": worker, "regency": place[0][:5], "district": place[0], "village": place[1]}
    return {**base, "sector": "fisheries", "sex": "F", "birth_month": "1985-07", "income_base": 1_000_000, **changes}


def settle(context: Any, make: Make, worker: str, place: tuple[str, str], status: str = "verified", **who: Any) -> None:
    """One worker, registered and verified or rejected."""
    form = person(worker, place, occupation="x", agency="dinsos", submission=worker, **who)
    context.take(make("worker.registered.v1", **form))
    verdict: dict[str, Any] = {"reasons": ["name-mismatch"], "effective_on": "2026-03-01", "registration_version": 1}
    if status == "verified":
        verdict = {
            "segment": "BPU",
            "evidence": [],
            "score": 99,
            "valid_until": "2027-01-01",
            "registration_version": 1,
        }
    context.take(make(f"identity.{status}.v1", **{**form, **verdict}))


def bill(context: Any, make: Make, worker: str, place: tuple[str, str], period: str, invoice: str, **who: Any) -> None:
    lines = [{"programme": "JKK", "amount": 10_000, "rule": "r"}, {"programme": "JKM", "amount": 6_800, "rule": "r"}]
    premium = {"period": period, "funding": "apbd-regency", "lines": lines, "total": 16_800}
    data = {**person(worker, place, **who), **premium, "run_id": "r", "invoice_id": invoice}
    context.take(make("premium.billed.v1", **data))


def pay(context: Any, make: Make, regency: str, period: str, invoice: str, workers: int) -> None:
    data = {"invoice_id": invoice, "regency": regency, "period": period, "funding": "apbd-regency"}
    context.take(
        make("premium.paid.v1", **data, total=workers * 16_800, workers=workers, reference="S", paid_on="2026-03-05")
    )


def set_budget(context: Any, make: Make, target: int, **targets: int) -> None:
    data = {"regency": "64.08", "year": 2026, "funding": "apbd-regency", "jkk": 100_000, "jkm": 68_000}
    codes = {code.replace("_", "."): count for code, count in targets.items()}
    context.take(
        make(
            "budget.set-accepted.v1", **data, committed_jkk=0, committed_jkm=0, decree_no="D", target_workers=target,
            targets=codes,
        )
    )  # fmt: skip


@pytest.fixture
def town(context: Any, make: Make) -> Any:
    """Five workers in two regencies; March billed for three, paid for two of them; April billed, unpaid."""
    settle(context, make, "a", SANGATTA)
    settle(context, make, "b", SANGATTA, sex="M", sector="trade", birth_month="2004-01")
    settle(context, make, "c", SANGATTA, status="held")
    settle(context, make, "d", SANGATTA, status="rejected")
    settle(context, make, "e", MUARA)
    bill(context, make, "a", SANGATTA, "2026-03", "i1")
    bill(context, make, "b", SANGATTA, "2026-03", "i1", sex="M", sector="trade", birth_month="2004-01")
    bill(context, make, "e", MUARA, "2026-03", "i2")
    bill(context, make, "a", SANGATTA, "2026-04", "i3")
    pay(context, make, "64.08", "2026-03", "i1", 2)
    set_budget(context, make, 1)
    return context


def client(context: Any) -> httpx.AsyncClient:
    app = FastAPI()
    app.add_exception_handler(HTTPException, problems.of_http)
    app.include_router(routes(context))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")


async def ask(context: Any, path: str) -> Any:
    async with client(context) as web:
        answer = await web.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_coverage_counts_each_person_where_they_are(town: Any) -> None:
    town.lag = 7
    report = await ask(town, "/v1/coverage?regency=64.08")
    assert report["filters"] == {"regency": "64.08", "by": "district", "period": "2026-03"}
    assert (report["as_of"], report["behind"]) == ("2026-03-05T12:00:00.000+08:00", 7)
    row = next(row for row in report["rows"] if row["area"] == "64.08.04")
    counts = {"registered": 4, "verified": 2, "held": 1, "rejected": 1, "billed": 2, "covered": 2}
    assert row == {"area": "64.08.04", "name": town.reference.areas.name("64.08.04"), **counts, "target": None}
    assert report["totals"] == {**counts, "target": 1}
    assert len(report["rows"]) == 18


async def test_a_billed_month_is_covered_only_once_its_invoice_is_paid(town: Any, make: Make) -> None:
    april = await ask(town, "/v1/coverage?regency=64.08&period=2026-04")
    assert (april["totals"]["billed"], april["totals"]["covered"]) == (1, 0)
    pay(town, make, "64.08", "2026-04", "i3", 1)
    april = await ask(town, "/v1/coverage?regency=64.08")
    assert april["filters"]["period"] == "2026-04"
    assert (april["totals"]["billed"], april["totals"]["covered"]) == (1, 1)


@pytest.mark.parametrize(
    ("by", "key", "filled"),
    [
        ("regency", "area", {"64.02": 1, "64.08": 3}),
        ("district", "area", {"64.02.01": 1, "64.08.04": 3}),
        ("village", "area", {"64.02.01.2001": 1, "64.08.04.2001": 3}),
        ("sector", "sector", {"fisheries": 3, "trade": 1}),
        ("sex", "sex", {"F": 3, "M": 1}),
        ("age", "age", {"35-44": 3, "18-24": 1}),
    ],
)
async def test_every_grouping_shows_the_same_people(
    town: Any, make: Make, by: str, key: str, filled: dict[str, int]
) -> None:
    town.take(make("worker.withdrawn.v1", sequence=2, **_leaving("d")))
    report = await ask(town, f"/v1/coverage?by={by}")
    assert {row[key]: row["registered"] for row in report["rows"] if row["registered"]} == filled
    assert all(row["name"] for row in report["rows"])
    for figure in COUNTS:
        assert report["totals"][figure] == sum(row[figure] for row in report["rows"])
    assert (report["totals"]["billed"], report["totals"]["covered"]) == (3, 2)


def _leaving(worker: str) -> dict[str, Any]:
    wanted = ("worker_id", "regency", "district", "village", "sector")
    who = {name: value for name, value in person(worker, SANGATTA).items() if name in wanted}
    return {**who, "reason": "moved", "effective_on": "2026-03-02"}


@pytest.mark.parametrize(
    ("targets", "district_target", "total_target"),
    [
        ({}, None, 10),  # the decree's own figure stands for the regency
        ({"64_08_04": 4}, 4, 10),  # a target of one district is not the regency's
    ],
)
async def test_targets(town: Any, make: Make, targets: Any, district_target: int | None, total_target: int) -> None:
    set_budget(town, make, 10, **targets)
    report = await ask(town, "/v1/coverage?regency=64.08")
    row = next(row for row in report["rows"] if row["area"] == "64.08.04")
    assert (row["target"], report["totals"]["target"]) == (district_target, total_target)


async def test_a_report_without_any_figure_is_an_answer(context: Any) -> None:
    report = await ask(context, "/v1/coverage")
    assert (report["as_of"], report["rows"]) == (None, [])
    assert report["totals"] == {**dict.fromkeys(COUNTS, 0), "target": None}
    for kind in ("budget", "claims", "compliance", "quality", "outreach", "deaths"):
        assert (await ask(context, f"/v1/{kind}"))["rows"] == []


async def test_budget_distinguishes_committed_from_absorbed(town: Any) -> None:
    report = await ask(town, "/v1/budget?regency=64.08")
    (row,) = report["rows"]
    assert (row["ceiling"], row["committed"], row["absorbed"], row["left"]) == (168_000, 50_400, 33_600, 117_600)
    assert (row["committed_jkk"], row["absorbed_jkm"], row["percent"]) == (30_000, 13_600, 20.0)


async def test_claims_by_kind_and_stage(town: Any, make: Make) -> None:
    claim = {"agency": "rumahsakit", "worker_id": "a", "regency": "64.08"}
    town.take(make("claim.held.v1", claim_no="1", kind="jkm", stage="agenda", **claim))
    town.take(make("claim.approved.v1", claim_no="2", kind="jkk", stage="persetujuan", total=5, **claim))
    paid: dict[str, Any] = {
        "district": None,
        "sex": None,
        "benefits": [],
        "total": 5,
        "paid_on": "2026-03-05",
        "reference": "B",
    }
    town.take(make("claim.paid.v1", sequence=2, claim_no="2", kind="jkk", **claim, **paid))
    report = await ask(town, "/v1/claims?regency=64.08")
    assert report["rows"] == [
        {"kind": "jkk", "stage": "selesai", "claims": 1, "held": 0, "rejected": 0, "total": 5, "paid": 5},
        {"kind": "jkm", "stage": "agenda", "claims": 1, "held": 1, "rejected": 0, "total": 0, "paid": 0},
    ]
    assert report["totals"] == {"claims": 2, "held": 1, "rejected": 0, "total": 5, "paid": 5}


async def test_quality_by_agency(context: Any, make: Make) -> None:
    told = [
        ("registered", []),
        ("registered", []),
        ("rejected", ["nik-malformed", "name-missing"]),
        ("rejected", ["name-missing"]),
    ]
    for number, (outcome, reasons) in enumerate(told):
        context.take(
            make("submission.answered.v1", topic="feedback-6408-dinsos", name=f"e{number}", submission_id="S",
                 outcome=outcome, reasons=reasons)
        )  # fmt: skip
    report = await ask(context, "/v1/quality")
    (row,) = report["rows"]
    assert (row["agency"], row["regency"], row["sent"], row["accepted"], row["score"]) == ("dinsos", "64.08", 4, 2, 0.5)
    assert list(row["reasons"].items()) == [("name-missing", 2), ("nik-malformed", 1)]
    assert row["outcomes"] == {"registered": 2, "rejected": 2}


async def test_rows_of_claims_count_in_quality_once_each(context: Any, make: Make) -> None:
    feedback, submitter = "feedback-6408-rumahsakit", "agency/64.08/rumahsakit"
    claim: dict[str, Any] = {
        "claim_no": "K",
        "agency": "rumahsakit",
        "worker_id": None,
        "regency": "64.08",
        "kind": None,
    }
    told: list[tuple[str, str, str, dict[str, Any]]] = [
        ("claim.registered.v1", "good", submitter, {**claim, "stage": "agenda"}),
        # The fate of a correct claim is no fault of its row.
        ("claim.held.v1", "good", submitter, {**claim, "stage": "agenda"}),
        ("claim.rejected.v1", "step", "payung/claims", {**claim, "stage": "selesai", "reasons": ["not-covered"]}),
        ("claim.rejected.v1", "taken-back", submitter, {**claim, "stage": "selesai", "reasons": ["claim-withdrawn"]}),
        ("claim.rejected.v1", "wrong", submitter, {**claim, "stage": "selesai", "reasons": ["nik-malformed"]}),
        (
            "claim.rejected.v1",
            "unread",
            submitter,
            {**claim, "claim_no": None, "stage": "selesai", "reasons": ["row-ragged"]},
        ),
        (
            "claim.submit.refused.v1",
            "wrong-again",
            submitter,
            {"claim_no": "K", "agency": "rumahsakit", "reasons": ["field-invalid:cause"]},
        ),
        (
            "claim.submit.refused.v1",
            "double",
            submitter,
            {"claim_no": "K", "agency": "rumahsakit", "reasons": ["duplicate-claim"]},
        ),
    ]
    for number, (kind, cause, source, data) in enumerate(told):
        for topic in ("claims-events", feedback, feedback):
            one = make(kind, topic=topic, name=f"c{number}", **data)
            context.take(replace(one, causation_id=cause, causation_source=source))
    (row,) = (await ask(context, "/v1/quality"))["rows"]
    assert (row["name"], row["sent"], row["accepted"], row["rejected"]) == ("64.08/rumahsakit", 4, 1, 3)
    assert row["reasons"] == {"field-invalid:cause": 1, "nik-malformed": 1, "row-ragged": 1}


async def test_refuted_data_count_against_the_agencies_that_sent_them(context: Any, make: Make) -> None:
    feedback = "feedback-6408-dinsos"
    for number in range(2):
        context.take(
            make("submission.answered.v1", topic=feedback, name=f"e{number}", submission_id="S",
                 outcome="registered", reasons=[])
        )  # fmt: skip

    def settle(sequence: int, worker: str, identity: str, *reasons: str) -> None:
        context.take(
            make("submission.settled.v1", topic=feedback, name=f"s{sequence}{worker}", sequence=sequence,
                 submission_id="S", worker_id=worker, identity=identity, reasons=list(reasons))
        )  # fmt: skip

    settle(2, "a", "rejected", "not-found")
    settle(3, "b", "rejected", "too-old")
    (row,) = (await ask(context, "/v1/quality"))["rows"]
    assert (row["refuted"], row["score"], row["reasons"]) == (1, 0.5, {"not-found": 1})
    async with client(context) as web:
        page = (await web.get("/?regency=64.08")).text
    shown = page[page.index("Mutu data per instansi") :]
    assert '<th scope="col" class="n">Disangkal Dukcapil</th>' in shown
    assert re.findall(r'<td class="n">(\S+)</td>', shown)[:5] == ["2", "2", "0", "1", "50,0%"]
    # Corrected since: the latest verdict counts, and an older one changes nothing.
    settle(5, "a", "verified")
    settle(4, "a", "rejected", "not-found")
    (row,) = (await ask(context, "/v1/quality"))["rows"]
    assert (row["refuted"], row["score"], row["reasons"]) == (0, 1.0, {})


@pytest.mark.parametrize(
    "query",
    ["by=colour", "format=pdf", "period=2026-13", "period=March", "regency=6408", "regency=99.99", "by=sex&format=xml"],
)
@pytest.mark.parametrize("kind", ["coverage", "budget", "claims", "compliance", "quality", "outreach", "deaths"])
async def test_impossible_filters_are_problems(context: Any, kind: str, query: str) -> None:
    async with client(context) as web:
        answer = await web.get(f"/v1/{kind}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["parameter"] in query


async def test_csv_and_xlsx_hold_the_same_cells_as_json(town: Any) -> None:
    report = await ask(town, "/v1/coverage?by=sector")
    async with client(town) as web:
        text = (await web.get("/v1/coverage?by=sector&format=csv")).content
        sheet = (await web.get("/v1/coverage?by=sector&format=xlsx")).content
    lines = list(csv.DictReader(io.StringIO(text.decode("utf-8"))))
    assert not text.startswith(b"\xef\xbb\xbf")
    assert [line["sector"] for line in lines] == [*(row["sector"] for row in report["rows"]), "total"]
    assert [int(line["covered"]) for line in lines[:-1]] == [row["covered"] for row in report["rows"]]
    assert int(lines[-1]["covered"]) == report["totals"]["covered"]
    page = openpyxl.load_workbook(io.BytesIO(sheet)).active
    assert page is not None
    cells = [list(row) for row in page.iter_rows(values_only=True)]
    assert cells[0] == list(report["rows"][0])
    assert cells[1] == list(report["rows"][0].values())


async def test_people_open_the_same_cells_with_excel(town: Any) -> None:
    report = await ask(town, "/v1/coverage?by=sector")
    async with client(town) as web:
        text = (await web.get("/v1/coverage?by=sector&format=csv&excel=true")).content
        sheet = (await web.get("/v1/coverage?by=sector&format=xlsx")).content
    assert text.startswith(b"\xef\xbb\xbfsector;")
    book = openpyxl.load_workbook(io.BytesIO(sheet))
    figures, about = book.worksheets
    assert (figures.title, figures.freeze_panes) == ("Perlindungan", "B2")
    column = list(report["rows"][0]).index("registered") + 1
    assert figures.cell(2, column).data_type == "n"
    assert figures.cell(1, column).font.bold
    assert (about["A1"].value, about["A2"].value) == ("Perlindungan", "per")
    assert about["B2"].value


def test_no_cell_of_a_workbook_runs_or_breaks() -> None:
    from shared.files.workbook import figures

    body = figures(
        "Uji & coba", [("per", "=1+1")], ["a", "b", "c"], [["=1+1", 1_000, "2026-07-01"], ["A\x0bB", 0.5, None]]
    )
    sheet, about = openpyxl.load_workbook(io.BytesIO(body)).worksheets
    assert [(cell.value, cell.data_type) for cell in sheet[2]][:2] == [("=1+1", "s"), (1_000, "n")]
    assert sheet.cell(2, 3).number_format == "dd/mm/yyyy"
    assert sheet.cell(3, 1).value == "A\ufffdB"
    assert about["B2"].data_type == "s"


async def test_figures_are_counted_once_while_nothing_changed(town: Any, make: Make) -> None:
    town.reference = type(town.reference)(town.reference.areas, Settings(stale_s=60.0, counting_share=1.0))
    board = Board(town)
    await board.report("coverage", Filters())
    counted = town.tallied
    assert (await board.report("coverage", Filters())).totals["registered"] == 5
    assert town.tallied == counted
    settle(town, make, "new", SANGATTA)
    assert (await board.report("coverage", Filters())).totals["registered"] == 6
    assert town.tallied > counted


async def test_behind_counts_the_records_missing_in_the_figures(town: Any, make: Make) -> None:
    town.reference = type(town.reference)(town.reference.areas, Settings(counting_share=1e-9))
    board = Board(town)
    assert (await board.counted("coverage", Filters())).behind == 0
    settle(town, make, "new", SANGATTA)
    late = await board.counted("coverage", Filters())
    assert (late.report.totals["registered"], late.behind) == (5, 1)


async def test_reports_work_when_the_broker_does_not_answer(town: Any) -> None:
    town.lag = None
    report = await ask(town, "/v1/coverage")
    assert (report["behind"], report["totals"]["registered"]) == (None, 5)
    async with client(town) as web:
        assert "Kafka tidak menjawab" in (await web.get("/")).text


async def test_a_month_is_added_up_again_only_when_it_grew(town: Any, make: Make) -> None:
    ledger = Ledger()
    before = await ledger.premiums(town, 2026)
    counted = town.tallied
    assert await ledger.premiums(town, None) == before
    assert town.tallied == counted
    bill(town, make, "e", MUARA, "2026-04", "i4")
    after = await ledger.premiums(town, 2026)
    assert town.tallied == counted + 1
    assert sum(row["jkk"] for row in after) == sum(row["jkk"] for row in before) + 10_000
    assert await ledger.premiums(town, 2025) == []


async def test_snapshots_name_areas_that_changed_and_nothing_else(town: Any, make: Make) -> None:
    snapshots = Snapshots(town)
    assert await snapshots.publish_changed() > 0
    first = {one.key: one.data.model_dump() for one in town.emitted}
    assert set(first) == {f"{area}|2026-03" for area in ("64.02", "64.02.01", "64.08", "64.08.04")}
    assert {one.topic for one in town.emitted} == {"reporting-coverage"}
    assert (first["64.08|2026-03"]["covered"], first["64.08|2026-03"]["target"]) == (2, 1)
    assert await snapshots.publish_changed() == 0
    town.emitted.clear()
    settle(town, make, "new", SANGATTA)
    assert await snapshots.publish_changed() == 2
    assert {one.key for one in town.emitted} == {"64.08|2026-03", "64.08.04|2026-03"}


async def test_an_older_month_paid_late_gets_its_snapshot_too(town: Any, make: Make) -> None:
    snapshots = Snapshots(town)
    await snapshots.publish_changed()
    town.emitted.clear()
    bill(town, make, "a", SANGATTA, "2026-02", "i0")
    pay(town, make, "64.08", "2026-02", "i0", 1)
    await snapshots.publish_changed()
    assert {one.key: one.data.model_dump()["covered"] for one in town.emitted}["64.08.04|2026-02"] == 1


async def test_the_stream_sends_changes_only(town: Any, make: Make) -> None:
    board = Board(town)
    stream = follow(board, Filters(), board)
    assert await anext(stream) == b"retry: 3000\n\n"
    first = await anext(stream)
    assert first.startswith(b"event: snapshot\ndata: {")
    assert b'"registered":5' in first
    settle(town, make, "new", SANGATTA)
    assert b'"registered":6' in await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # an async generator, typed as what it serves as


async def test_unknown_places_in_the_data_still_count(context: Any, make: Make) -> None:
    settle(context, make, "x", ("64.08.99", "64.08.99.2001"))
    report = await read_coverage(context, context.reference.areas, Filters("64.08"), "2026-03")
    assert report.rows[-1]["area"] == report.rows[-1]["name"] == "64.08.99"
    assert report.totals["registered"] == 1


def finding(make: Make, employer: str, kind: str, state: str, sequence: int = 1, day: str = "2026-01-05") -> Event:
    data = {
        "finding_id": f"employment/{employer}/w/{kind}/{day}",
        "regency": "64.08",
        "employer_id": employer,
        "employer_name": f"CV {employer}",
        "kind": kind,
        "state": state,
        "due_on": day,
        "evidence": {},
    }
    return make("employer.found-noncompliant.v1", sequence=sequence, **data)


async def test_compliance_counts_each_finding_as_it_stands(context: Any, make: Make) -> None:
    cured = finding(make, "N1", "registered-late", "cured", sequence=2)
    context.take(
        finding(make, "N1", "registered-late", "open"),
        cured,
        finding(make, "N1", "registered-late", "open"),  # older: it arrives late and changes nothing
        finding(make, "N2", "contract-chain", "open"),
        finding(make, "N2", "registered-late", "explained"),
    )
    project = {"regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001", "contractor": "PT A"}
    terms = {"contract_value": 5, "starts_on": "2026-01-01", "ends_on": "2026-02-01", "due_on": "2026-01-21"}
    context.take(make("project.registered.v1", project_no="P1", late=True, **project, **terms))
    report = await ask(context, "/v1/compliance?regency=64.08")
    assert [(row["employer"], row["open"], row["explained"], row["cured"]) for row in report["rows"]] == [
        ("N2", 1, 1, 0),
        ("N1", 0, 0, 1),
        ("PT A", 0, 0, 0),
    ]
    assert report["totals"]["noncompliant"] == 1
    assert (report["totals"]["projects"], report["totals"]["projects_late"]) == (1, 1)


async def test_outreach_is_linked_to_the_registrations_that_followed(context: Any, make: Make) -> None:
    settle(context, make, "w1", SANGATTA)
    settle(context, make, "w2", SANGATTA, sector="trade")
    day = next(iter(context.bodies["registrations"].values()))["state"]["since"]
    meeting = {
        "regency": "64.08",
        "district": SANGATTA[0],
        "village": SANGATTA[1],
        "sector": "fisheries",
        "agency": "x",
    }
    context.take(
        make("outreach.held.v1", meeting_id="M1", held_on=day, attendees=40, **meeting),
        make("outreach.held.v1", meeting_id="M0", held_on="2020-01-01", attendees=2, **meeting),
        make("outreach.planned.v1", meeting_id="M2", held_on="2030-01-01", **meeting),
    )
    report = await ask(context, "/v1/outreach?regency=64.08")
    assert [(row["meeting"], row["state"], row["registered_within_30_days"]) for row in report["rows"]] == [
        ("M2", "planned", 0),
        ("M1", "held", 1),
        ("M0", "held", 0),
    ]
    assert report["totals"] == {"meetings": 3, "held": 2, "attendees": 42}


@pytest.mark.parametrize(
    ("since", "counted"),
    [
        ("2026-02-28", 0),
        ("2026-03-01", 1),
        # The thirtieth day after the meeting, in the next month, and the day after it.
        ("2026-03-31", 1),
        ("2026-04-01", 0),
        (None, 0),
    ],
)
def test_a_registration_follows_a_meeting_for_thirty_days(since: str | None, counted: int) -> None:
    meeting = Meeting(
        meeting_id="M1",
        regency="64.08",
        district=SANGATTA[0],
        village=SANGATTA[1],
        sector="fisheries",
        held_on="2026-03-01",
        agency="perikanan",
        attendees=40,
        sequence=1,
        at="2026-03-01T10:00:00+08:00",
    )
    registrations: list[dict[str, Any]] = [
        {"village": SANGATTA[1], "sector": "fisheries", "since": since, "count": 1},
        {"village": SANGATTA[1], "sector": "trade", "since": "2026-03-02", "count": 5},
        {"village": "64.08.04.2002", "sector": "fisheries", "since": "2026-03-02", "count": 7},
    ]
    (row,), _ = reports.outreach([meeting], registrations)
    assert row["registered_within_30_days"] == counted


async def test_deaths_of_insured_workers_are_reported_until_a_claim_comes(town: Any, make: Make) -> None:
    def found(worker: str, reasons: list[str], on: str = "2026-04-20") -> None:
        form = {**person(worker, SANGATTA), "reasons": reasons, "effective_on": on, "registration_version": 1}
        for name in ("income_base",):
            del form[name]
        town.take(make("identity.ended.v1", sequence=2, **form, policy="p"))

    found("a", ["deceased"])
    found("b", ["wage-earner"])
    # One was never insured, the other long before.
    found("c", ["deceased"])
    found("e", ["deceased"], "2026-09-01")
    row = {"area": "64.08.04", "name": "Sangatta Utara", "deaths": 1, "claimed": 0, "unclaimed": 1}
    assert (await ask(town, "/v1/deaths?regency=64.08"))["rows"] == [row]
    claim = {"agency": "rumahsakit", "worker_id": "a", "regency": "64.08", "claim_no": "1", "kind": "jkm"}
    town.take(make("claim.rejected.v1", stage="selesai", **claim))
    assert (await ask(town, "/v1/deaths"))["totals"] == {"deaths": 1, "claimed": 0, "unclaimed": 1}
    town.take(make("claim.held.v1", sequence=2, stage="agenda", **claim))
    assert (await ask(town, "/v1/deaths"))["totals"] == {"deaths": 1, "claimed": 1, "unclaimed": 0}
