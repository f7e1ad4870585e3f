"""The view without a log-in: sums, small ones hidden, and no sum from which a hidden one can be computed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import example, given
from hypothesis import strategies as st

from services.reporting.api.veil import _COVERAGE, _veiled, sees_all
from services.reporting.api.web import routes
from services.reporting.domain import coverage
from services.reporting.domain.suppression import FEW_BELOW, Hidden, suppressed
from services.reporting.facts import Filters, ReportRows
from shared.runtime.http.auth import Caller, Guard
from tests.unit.reporting.reporting_context import FakeContext

FIGURES = coverage.COUNTS
PARTS = ("verified", "held", "rejected")
PEOPLE = st.one_of(st.just(0), st.integers(1, 6), st.integers(7, 400))


def totals_of(rows: list[dict[str, int]]) -> dict[str, int]:
    return {figure: sum(row[figure] for row in rows) for figure in FIGURES}


def as_counted(row: dict[str, int]) -> dict[str, int]:
    """A row as reporting counts it: every registered worker is in exactly one part."""
    return {**row, "registered": sum(row[part] for part in PARTS)}


# Nobody is held anywhere. The count of 1 must not follow from this zero, which everybody sees.
@example([as_counted(dict.fromkeys(FIGURES, 0) | parts) for parts in ({"rejected": 7}, {"verified": 1, "rejected": 7})])
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(FIGURES, PEOPLE)).map(as_counted), max_size=8))
def test_small_counts_are_hidden_and_no_sum_reveals_one(rows: list[dict[str, int]]) -> None:
    totals = totals_of(rows)
    shown, sums = suppressed(rows, totals, _COVERAGE)
    for figure in FIGURES:
        gone = [row[figure] for row, seen in zip(rows, shown, strict=True) if isinstance(seen[figure], Hidden)]
        for row, seen in zip(rows, shown, strict=True):
            assert isinstance(seen[figure], Hidden) or seen[figure] == row[figure]
            assert isinstance(seen[figure], Hidden) or not 0 < seen[figure] < FEW_BELOW
        if isinstance(sums[figure], Hidden):
            continue
        assert sums[figure] == totals[figure]
        assert not 0 < sums[figure] < FEW_BELOW
        if gone:
            # The total minus all shown rows leaves two rows and five people.
            assert len(gone) > 1
            assert sum(gone) >= FEW_BELOW
    for row, seen in zip(rows, shown, strict=True):
        parts = [one for one in ("verified", "held", "rejected") if isinstance(seen[one], Hidden)]
        left = [one for one in ("verified", "held", "rejected") if one not in parts and row[one] > 0]
        assert len(parts) != 1 or not left or isinstance(seen["registered"], Hidden)


VILLAGES = ("64.02.01.2001", "64.02.01.2002", "64.08.04.2001", "64.08.04.2002", "64.08.05.2001", "64.08.05.2002")
SEXES = ("F", "M")
TOWN = st.fixed_dictionaries(
    {(village, sex): st.fixed_dictionaries(dict.fromkeys(PARTS, PEOPLE)) for village in VILLAGES for sex in SEXES}
)
Town = dict[tuple[str, str], dict[str, int]]
VIEWS = [
    *((regency, by) for regency in ("64.02", "64.08") for by in ("regency", "district", "village", "sex")),
    *((None, by) for by in ("regency", "district", "village", "sex")),
]


def counted(town: Town, regency: str | None, by: str) -> ReportRows:
    """A report of coverage as reporting counts it."""
    groups: dict[str, dict[str, int]] = {}
    for (village, sex), counts in town.items():
        if regency is not None and not village.startswith(regency):
            continue
        key = sex if by == "sex" else village[: {"regency": 5, "district": 8, "village": 13}[by]]
        row = groups.setdefault(key, dict.fromkeys(FIGURES, 0))
        for figure, count in counts.items():
            row[figure] += count
    name = "sex" if by == "sex" else "area"
    rows: list[dict[str, Any]] = [{name: key, **row} for key, row in sorted(groups.items())]
    for row in rows:
        row["registered"] = row["verified"] + row["held"] + row["rejected"]
    return ReportRows(name, {"regency": regency, "by": by, "period": "2026-01"}, rows, totals_of(rows))


@given(TOWN)
def test_no_hidden_cell_can_be_computed_from_all_that_is_shown(town: Town) -> None:
    """A reader who combines all reports, of one regency and of all, by area and by sex, cannot compute a
    hidden cell.
    """
    cells = [(*at, figure) for at in sorted(town) for figure in PARTS]
    where = {cell: number for number, cell in enumerate(cells)}
    known: list[list[int]] = []
    gone: list[tuple[list[int], int]] = []
    for regency, by in VIEWS:
        true = counted(town, regency, by)
        shown = _veiled("coverage", Filters(regency, by), true)  # type: ignore[arg-type]
        key = "sex" if by == "sex" else "area"
        for row, seen in [*zip(true.rows, shown.rows, strict=True), (true.totals, shown.totals)]:
            for figure in (*PARTS, "registered"):
                line = [0] * len(cells)
                for village, sex, part in cells:
                    inside = regency is None or village.startswith(regency)
                    group = row.get(key, "")
                    of_row = sex == group if by == "sex" and group else village.startswith(group)
                    if inside and of_row and (part == figure or figure == "registered"):
                        line[where[village, sex, part]] = 1
                if isinstance(seen[figure], Hidden):
                    gone.append((line, row[figure]))
                else:
                    assert not 0 < seen[figure] < FEW_BELOW
                    known.append(line)
    basis = _reduced(known)
    for line, count in gone:
        # A small count is never a sum or difference of what is shown.
        assert not 0 < count < FEW_BELOW or any(_rest(line, basis))


def _reduced(lines: list[list[int]]) -> dict[int, list[Fraction]]:
    """Gauss: one line for each leading column."""
    basis: dict[int, list[Fraction]] = {}
    for line in lines:
        rest = _rest(line, basis)
        lead = next((at for at, one in enumerate(rest) if one), None)
        if lead is not None:
            basis[lead] = [one / rest[lead] for one in rest]
    return basis


def _rest(line: list[int], basis: dict[int, list[Fraction]]) -> list[Fraction]:
    rest = [Fraction(one) for one in line]
    for lead in sorted(basis):
        if rest[lead]:
            factor = rest[lead]
            rest = [one - factor * other for one, other in zip(rest, basis[lead], strict=True)]
    return rest


def test_a_village_is_hidden_within_its_district_and_within_the_regency() -> None:
    counts = {"a.1": 3, "a.2": 50, "b.1": 40, "b.2": 60}
    rows: list[dict[str, Any]] = [{"area": area, **dict.fromkeys(FIGURES, n)} for area, n in counts.items()]
    shape = replace(_COVERAGE, parents=(lambda row: row["area"][0],), parts=())
    shown, sums = suppressed(rows, totals_of(rows), shape)
    # District a shows its sum of 53 elsewhere, so its other village is hidden, too.
    assert [isinstance(one["verified"], Hidden) for one in shown] == [True, True, False, False]
    assert sums["verified"] == 153


@pytest.mark.parametrize(
    ("caller", "regency", "all_of_it"),
    [
        (None, "64.08", False),
        (Caller("anyone", None), None, True),
        (Caller("clerk", frozenset({"64.08/dinsos"})), "64.08", False),
        (Caller("odd", frozenset({"64.08/dinsos"}), frozenset({"whatever"})), "64.08", False),
        (Caller("rina", frozenset(), frozenset({"64.08/claims-officer"})), "64.08", True),
        (Caller("rina", frozenset(), frozenset({"64.08/claims-officer"})), "64.02", False),
        (Caller("rina", frozenset(), frozenset({"64.08/claims-officer"})), None, False),
        (Caller("reader", frozenset(), frozenset({"reader"})), None, True),
    ],
)
def test_who_sees_every_figure(caller: Caller | None, regency: str | None, all_of_it: bool) -> None:
    assert sees_all(caller, regency) is all_of_it


async def test_a_stranger_sees_sums_and_no_single_person(monkeypatch: pytest.MonkeyPatch) -> None:
    context: Any = FakeContext()
    context.environ = {"PAYUNG_AUTH": "https://login.example"}
    app = FastAPI()
    app.include_router(routes(context))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://reporting") as client:
        for path in ("/v1/coverage?regency=64.08", "/v1/budget", "/v1/claims", "/v1/quality", "/"):
            assert (await client.get(path)).status_code == 200, path
        for path in ("/v1/compliance", "/v1/outreach", "/v1/deaths"):
            assert (await client.get(path)).status_code == 403, path
        # The difference of two months would describe single people.
        for period in ("2020-01", "2031-12"):
            for form in ("json", "csv", "xlsx"):
                past = await client.get(f"/v1/coverage?regency=64.08&period={period}&format={form}")
                assert past.status_code == 403, period
            assert (await client.get(f"/?regency=64.08&period={period}")).status_code == 403
        bad = await client.get("/v1/coverage", headers={"authorization": "Basic x"})
        assert bad.status_code == 401

        async def rina(_: Guard, request: Any) -> Caller:
            return Caller("rina", frozenset(), frozenset({"64.08/claims-officer"}))

        monkeypatch.setattr(Guard, "optional_caller", rina)
        assert (await client.get("/v1/compliance?regency=64.08")).status_code == 200
        assert (await client.get("/v1/compliance?regency=64.02")).status_code == 403
