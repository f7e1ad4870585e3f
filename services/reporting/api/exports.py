"""A report as JSON-like data, CSV and XLSX. Pure.

CSV is for programs, with `,` and without a byte order mark. For spreadsheets there are the same cells as Indonesian
Excel opens them (`excel`), or the workbook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.reporting.api.board import Counted
from services.reporting.domain.suppression import Hidden
from services.reporting.facts import ReportRows
from shared.files import separated, workbook

TOTAL = "total"
TITLES: Mapping[str, str] = {
    "coverage": "Perlindungan",
    "budget": "Anggaran",
    "claims": "Klaim",
    "compliance": "Kepatuhan",
    "quality": "Mutu data per instansi",
    "outreach": "Sosialisasi",
    "deaths": "Kematian",
}


def as_data(counted: Counted) -> dict[str, Any]:
    """The report as JSON (docs/contracts.md#reports)."""
    report = counted.report
    return {
        "as_of": counted.as_of,
        "behind": counted.behind,
        "filters": report.filters,
        "rows": [_plain(row) for row in report.rows],
        "totals": _plain(report.totals),
    }


def as_csv(report: ReportRows, *, excel: bool = False) -> bytes:
    """UTF-8 with a header; the last line holds the totals."""
    if excel:
        return separated.for_excel(_table(report))
    return "".join(separated.line(row, ",") for row in _table(report)).encode("utf-8")


def as_xlsx(counted: Counted, kind: str) -> bytes:
    """The same cells with typed numbers and days, and a second sheet with the filters and the time of the figures."""
    header, *rows = _table(counted.report)
    about = [("per", counted.as_of or "-")]
    about += [(name, str(value)) for name, value in counted.report.filters.items() if value]
    return workbook.figures(TITLES.get(kind, kind), about, header, rows)


def _table(report: ReportRows) -> list[list[Any]]:
    columns = _columns(report)
    totals = {columns[0]: TOTAL, **report.totals}
    return [columns, *([_cell(row.get(name)) for name in columns] for row in (*report.rows, totals))]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for programs: a hidden count is its text."""
    return {name: one.text if isinstance(one, Hidden) else one for name, one in row.items()}


def _columns(report: ReportRows) -> list[str]:
    """The fields of the rows; without rows, the key and the fields of the totals."""
    first: Mapping[str, Any] = report.rows[0] if report.rows else {report.key: None, **report.totals}
    return list(first)


def _cell(value: Any) -> Any:
    if isinstance(value, Hidden):
        return value.text
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {count}" for name, count in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(str, value))
    return value
