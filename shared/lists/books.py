"""Workbooks as lists: reads, in order, every sheet that has the list's heading, and names the other sheets in
notices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from shared.lists import headings, joined
from shared.lists.columns import LAYOUTS, ListKind, is_complete, known_names
from shared.lists.errors import HeaderError, ListError
from shared.lists.reading import HEADING_ROWS_MAX, ListReading
from shared.lists.rows import NO_ROWS, ListFile, Row
from shared.lists.sheet_cells import HiddenCells
from shared.lists.sheets import Item, Sheet
from shared.lists.source import Source
from shared.lists.table import Table
from shared.lists.tables import Cells


@dataclass(slots=True)
class Gone:
    """A sheet after the first pass: its heading, the number of its rows, and further facts."""

    sheet: Sheet
    top: list[Cells] = field(default_factory=list)
    table: Table | None = None
    error: HeaderError | None = None
    known: int = 0
    filled: bool = False
    rows: int = 0
    hidden_rows: int = 0
    hidden_columns: tuple[str, ...] = ()


def open_book(source: Source, kind: ListKind, reading: ListReading) -> ListFile:
    """Reads through a workbook once; raises ListError (HeaderError)."""
    sheets = [_gone_through(sheet, items, kind) for sheet, items in by_sheet(reading.book(source, None))]
    listed = [one for one in sheets if one.table is not None and one.sheet.visible]
    if not listed:
        raise _no_list(sheets)
    if not any(one.rows for one in listed):
        raise ListError(*NO_ROWS)
    listed = [one for one in listed if one.rows]
    found = _named(listed)
    header = joined.header_of(table.joined_header for table in found)

    def rows() -> Iterator[Row]:
        tables = dict(zip((one.sheet.index for one in listed), found, strict=True))
        for sheet, items in by_sheet(reading.book(source, frozenset(tables))):
            for row in tables[sheet.index].rows(cells_of(items)):
                yield joined.under(row, header)

    notices = [notice for one, table in zip(listed, found, strict=True) for notice in _notices(one, table, len(found))]
    notices += [_left_out(one) for one in sheets if one not in listed and _is_to_be_named(one)]
    count = sum(one.rows for one in listed)
    notices = list(dict.fromkeys(notices))
    return ListFile(
        source,
        kind,
        "xlsx",
        ",",
        False,
        header,
        tuple(notices),
        rows,
        count=count,
        sheets=tuple(table.sheet for table in found),
    )


def by_sheet(items: Iterator[Item]) -> Iterator[tuple[Sheet, Iterator[Item]]]:
    """Each sheet with its items; one sheet must be read to its end before the next."""
    waiting: list[Sheet] = [item for item in _first(items) if isinstance(item, Sheet)]

    def following() -> Iterator[Item]:
        for item in items:
            if isinstance(item, Sheet):
                waiting.append(item)
                return
            yield item

    while waiting:
        sheet = waiting.pop()
        rest = following()
        yield sheet, rest
        for _ in rest:
            continue


def _first(items: Iterator[Item]) -> list[Item]:
    item = next(items, None)
    return [] if item is None else [item]


def cells_of(items: Iterator[Item], facts: list[HiddenCells] | None = None) -> Iterator[Cells]:
    """The rows among the items of a sheet; its HiddenCells are added to `facts`."""
    for item in items:
        if isinstance(item, tuple):
            yield item
        elif isinstance(item, HiddenCells) and facts is not None:
            facts.append(item)


def _gone_through(sheet: Sheet, items: Iterator[Item], kind: ListKind) -> Gone:
    gone = Gone(sheet)
    facts: list[HiddenCells] = []
    cells = cells_of(items, facts)
    for record in cells:
        gone.top.append(record)
        if record[0] >= HEADING_ROWS_MAX:
            break
    heading = headings.find(
        (record for record in gone.top if record[0] <= HEADING_ROWS_MAX),
        lambda named: known_names(named, LAYOUTS[kind]),
        lambda named: is_complete(named, LAYOUTS[kind]),
    )
    gone.filled = heading is not None or any(any(record[1]) for record in cells)
    if heading is None:
        return gone
    gone.known = heading.known
    try:
        gone.table = Table(kind, heading, is_sheet=True, is_1904=sheet.is_1904)
    except HeaderError as error:
        gone.error = error
        return gone
    gone.rows = gone.table.first_pass(chain(gone.top, cells))
    _note_hidden(gone, gone.table, facts)
    return gone


def _note_hidden(gone: Gone, table: Table, facts: Sequence[HiddenCells]) -> None:
    gone.hidden_rows = sum(1 for one in facts for number in one.hidden_rows if table.holds(number))
    gone.hidden_columns = tuple(
        name
        for place, name in enumerate(table.header, start=1)
        if name and any(first <= place <= last for one in facts for first, last in one.hidden_columns)
    )


def _named(listed: Sequence[Gone]) -> list[Table]:
    """The tables that are read. If there are several, each knows its sheet."""
    tables = []
    for order, one in enumerate(listed):
        assert one.table is not None
        one.table.sheet, one.table.order = (one.sheet.name if len(listed) > 1 else ""), order
        tables.append(one.table)
    if any(table.is_unsure_of_days for table in tables):
        # One person wrote the workbook. So when a sheet does not show its own order, the day first is not assumed.
        for table in tables:
            table.doubt_days()
    return tables


def _notices(one: Gone, table: Table, count: int) -> Iterator[tuple[str, str]]:
    yield from table.notices()
    name = one.sheet.name
    at_id, at_en = (f" di lembar {name}", f" of the sheet {name}") if count > 1 else ("", "")
    if one.hidden_rows:
        yield (
            f"{one.hidden_rows} baris tersembunyi{at_id} ikut terkirim.",
            f"{one.hidden_rows} hidden rows{at_en} are sent too.",
        )
    if one.hidden_columns:
        names = ", ".join(one.hidden_columns)
        yield (
            f"Kolom tersembunyi{at_id} ikut terkirim: {names}.",
            f"Hidden columns{at_en} are sent too: {names}.",
        )


def _is_to_be_named(one: Gone) -> bool:
    """Whether to name a sheet that was left out: a sender could miss its rows."""
    return one.filled if one.sheet.visible else one.table is not None and one.rows > 0


def _left_out(one: Gone) -> tuple[str, str]:
    name = one.sheet.name
    if one.table is not None and not one.sheet.visible:
        return (
            f"Lembar {name} tersembunyi dan tidak dibaca; tampilkan bila {one.rows} barisnya harus ikut.",
            f"The sheet {name} is hidden and not read; unhide it if its {one.rows} rows are meant.",
        )
    if one.table is not None:
        return (f"Lembar {name} hanya berisi judul kolom.", f"The sheet {name} has headings and no rows.")
    return (
        f"Lembar {name} tidak dibaca: judul kolomnya bukan judul daftar ini.",
        f"The sheet {name} is not read: its headings are not those of this list.",
    )


def _no_list(sheets: Sequence[Gone]) -> ListError:
    best = max((one for one in sheets if one.error is not None), key=lambda one: one.known, default=None)
    if best is not None and best.error is not None:
        return best.error
    hidden = [one.sheet.name for one in sheets if one.table is not None]
    if hidden:
        return ListError(
            f"Daftarnya ada di lembar tersembunyi ({', '.join(hidden)}); tampilkan lembarnya, simpan, lalu kirim lagi.",
            f"The list is on a hidden sheet ({', '.join(hidden)}); unhide it, save the file and send it again.",
        )
    return ListError("Berkas kosong.", "The file is empty.")
