"""The dashboard: renders the reports as words, bars and a map. It computes no report figure of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from services.reporting.api import districtmap
from services.reporting.api.board import Board
from services.reporting.api.dashboard_texts import TEXTS
from services.reporting.api.veil import Veil
from services.reporting.domain import coverage, rules, wording
from services.reporting.domain.wording import Lang
from services.reporting.facts import Filters, ReportRows
from shared.pages import environment

# The percentages at which a district gets the next darker shade; the last is for districts above their target.
SHADES = (0.0, 10.0, 25.0, 50.0, 75.0, 100.0)
MONTHS_SHOWN = 12
REASONS_SHOWN = 3
WARNINGS_SHOWN = 20


class Dashboard:
    """Renders the page of one board."""

    def __init__(self, board: Board | Veil) -> None:
        self._board = board
        templates = environment("services.reporting.api")
        templates.filters.update(number=wording.number, money=wording.money, money_short=wording.money_short)
        templates.filters.update(percent=wording.percent)
        self._page = templates.get_template("dashboard.html")

    async def render(self, ask: Filters, lang: Lang, nonce: str) -> str:
        """The page as HTML. `nonce` is the one in the content security policy of the answer."""
        board, areas = self._board, self._board.reference.areas
        counted = await board.counted("coverage", ask)
        figures = counted.report
        period = figures.filters["period"]
        # The map and the table by district use one report. With another grouping the map still shows districts.
        districts = (
            figures
            if ask.by == "district"
            else await board.report("coverage", Filters(ask.regency, "district", period))
        )
        months = (await board.months(ask.regency))[-MONTHS_SHOWN:]
        budget = await board.report("budget", Filters(ask.regency, "district", period))
        claims = await board.report("claims", Filters(ask.regency))
        warnings = await board.warnings(ask.regency)
        return self._page.render(
            t={key: texts[0 if lang == "id" else 1] for key, texts in TEXTS.items()},
            lang=lang,
            nonce=nonce,
            ask=ask,
            period=period,
            place=areas.name(ask.regency) if ask.regency else None,
            regencies=[(code, areas.name(code)) for code in areas.regencies()],
            periods=_periods(months, period, lang),
            groupings=coverage.BYS,
            month=partial(wording.month, lang=lang),
            word=partial(wording.name, lang=lang),
            said=partial(wording.reason, lang=lang),
            as_of=wording.moment(counted.as_of, lang),
            behind=counted.behind,
            totals=figures.totals,
            total_percent=rules.percent(figures.totals["covered"], figures.totals["target"]),
            rows=_bars(figures, lang),
            key=figures.key,
            map=_map(districts, ask.regency),
            shades=_legend(),
            months=_columns(months),
            budget=budget,
            claims=claims,
            quality=await board.report("quality", Filters(ask.regency)),
            warnings=warnings[:WARNINGS_SHOWN],
            more_warnings=len(warnings[WARNINGS_SHOWN:]),
            reasons_shown=REASONS_SHOWN,
            link=partial(_link, ask),
            export=partial(_export, ask),
        )


def _measure(row: Mapping[str, Any]) -> float | None:
    """Covered workers in percent of the target; without a target, of the registered workers."""
    return rules.percent(row["covered"], row["target"] or row["registered"])


def _bars(report: ReportRows, lang: Lang) -> list[dict[str, Any]]:
    """Rows with bars on one scale. The longest bar sets it: coverage above 100 % is real and never cut."""
    measured = [(row, _measure(row)) for row in report.rows]
    longest = max([100.0, *(value for _, value in measured if value is not None)])
    return [
        {
            **row,
            "name": row["name"] if report.key == "area" else wording.name(row[report.key], lang),
            "percent": value,
            "bar": round(100 * (value or 0.0) / longest, 1),
            "mark": round(100 * 100 / longest, 1),
            "of_target": row["target"] is not None,
        }
        for row, value in measured
    ]


def _map(districts: ReportRows, regency: str | None) -> dict[str, Any]:
    """District outlines with the shade and the text of their figures."""
    drawn = districtmap.draw(regency)
    by_code = {row["area"]: row for row in districts.rows}
    shapes = []
    for outline in drawn.outlines:
        row = by_code.get(outline.code)
        value = _measure(row) if row is not None else None
        label = f"{outline.name}: {wording.percent(value)}"
        shapes.append({"path": outline.path, "shade": _shade(value), "label": label, "code": outline.code})
    return {"width": drawn.width, "height": drawn.height, "shapes": shapes}


def _shade(value: float | None) -> int:
    """0 means no figure; 1 to 6 get darker with every threshold reached."""
    return 0 if value is None else sum(value >= threshold for threshold in SHADES)


def _legend() -> list[tuple[int, str]]:
    labels = [f"{low:.0f}–{high:.0f}%" for low, high in pairwise(SHADES)]
    return list(enumerate([*labels, f"≥ {SHADES[-1]:.0f}%"], start=1))


def _columns(months: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Months with the heights of their columns in percent of the tallest."""
    tallest = max([1, *(max(row["billed"], row["covered"]) for row in months)])
    return [
        {**row, **{f"{figure}_height": round(100 * row[figure] / tallest, 1) for figure in ("billed", "covered")}}
        for row in months
    ]


def _periods(months: Sequence[Mapping[str, Any]], period: str | None, lang: Lang) -> list[tuple[str, str]]:
    listed = {row["period"] for row in months} | ({period} if period else set())
    return [(one, wording.month(one, lang)) for one in sorted(listed, reverse=True)]


def _link(ask: Filters, **changes: str) -> str:
    """The address of this page with some of its choices changed."""
    chosen = {"regency": ask.regency, "by": ask.by, "period": ask.period, **changes}
    return "/?" + urlencode({name: value for name, value in chosen.items() if value})


def _export(ask: Filters, kind: str, form: str) -> str:
    """The address of a report as a file. CSV links of the page open in Excel."""
    chosen = {"regency": ask.regency, "period": ask.period, "format": form, "excel": "true" if form == "csv" else None}
    if kind == "coverage":
        chosen["by"] = ask.by
    return f"/v1/{kind}?" + urlencode({name: value for name, value in chosen.items() if value})
