"""A report as JSON-like data, CSV and XLSX. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook

from services.reporting.api.board import Counted
from services.reporting.facts import Report

TOTAL = "total"


def as_data(counted: Counted) -> dict[str, Any]:
    """The report as contracts.md 5 has it."""
    report = counted.report
    return {
        "as_of": counted.as_of,
        "behind": counted.behind,
        "filters": report.filters,
        "rows": list(report.rows),
        "totals": report.totals,
    }


def as_csv(report: Report) -> str:
    """UTF-8 text with `,` and a header; the last line holds the totals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows(_table(report))
    return out.getvalue()


def as_xlsx(report: Report, sheet: str) -> bytes:
    """One sheet with the same cells; numbers stay numbers."""
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
    for line in _table(report):
        page.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _table(report: Report) -> list[list[Any]]:
    columns = _columns(report)
    totals = {columns[0]: TOTAL, **report.totals}
    return [columns, *([_cell(row.get(name)) for name in columns] for row in (*report.rows, totals))]


def _columns(report: Report) -> list[str]:
    """The fields of the rows; those of the totals behind the key when there are no rows."""
    first: Mapping[str, Any] = report.rows[0] if report.rows else {report.key: None, **report.totals}
    return list(first)


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {count}" for name, count in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(str, value))
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        # A spreadsheet would run it.
        return f"'{value}"
    return value
