"""Loads reference data by command, directly into the service that owns them. Nothing else bypasses Kafka
(docs/contracts.md#command-line).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from payung.installations import CommandError, Installation
from services.registration.stream import SPEC as REGISTRATION
from services.verification.adapters import loading
from services.verification.facts import sources
from services.verification.stream import SPEC
from shared.contracts.reasons import COLUMNS_ID
from shared.lists import columns, headings, tables, values
from shared.lists.apart import Apart
from shared.lists.books import by_sheet, cells_of
from shared.lists.bounds import Bounds
from shared.lists.dates import Order
from shared.lists.errors import ListError
from shared.lists.headings import Heading
from shared.lists.no_workers import NoWorkers
from shared.lists.reading import HEADING_ROWS_MAX
from shared.lists.rows import NO_ROWS
from shared.lists.sheet_cells import day_of_1904
from shared.lists.source import Source, source_of
from shared.lists.tables import Cells, CsvLayout
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.app import open_store
from shared.runtime.ops import secrets
from shared.runtime.store import key_checks
from shared.runtime.store.crypto import cipher_from, id_check_value, id_key_from

# A register holds everybody in a regency, up to millions of people; a command may take long.
READING = Apart(Bounds(rows=20_000_000, strings=40_000_000, unpacked=8 << 30, memory=4 << 30, cpu_s=3_600))
# How many rows that are left out are named by their places.
_NAMED_MAX = 50
# A row of reference data by its columns, behind the place where it stands: `7`, or `Lembar 2:7`.
Placed = tuple[str, dict[str, str]]
# With so few columns a whole row looks like a signature.
_FEW_COLUMNS = 4
# The headings that registers and offices in Indonesia use for these columns, and the values they write.
_HEADINGS = {**COLUMNS_ID, "source": "sumber", "version": "versi", "decile": "desil"}
_STATUSES = {"hidup": "alive", "meninggal": "deceased", "ganda": "double", "nonaktif": "inactive"}
_MEANS: Mapping[str, Callable[[str], str]] = {
    "nik": values.nik,
    "birth_date": values.day,
    "started_on": values.day,
    "sex": values.sex,
    "village": values.village,
    "status": lambda cell: _STATUSES.get(cell.lower(), cell.lower()),
}


async def load_snapshot(installation: Installation, path: Path, regency: str) -> tuple[int, str]:
    """Loads a population file as the regency's snapshot; returns its rows and version."""
    taken, version = await load_source(installation, path, regency, sources.POPULATION)
    return taken, version


async def load_source(
    installation: Installation,
    path: Path,
    regency: str,
    kind: str,
    tell: Callable[[str, str], None] = lambda text, english: None,
) -> tuple[int, str]:
    """Loads one kind of list for the regency; returns the rows taken and the version. Calls `tell` with each part of
    the file that is not read, and with the rows left out."""
    if kind not in sources.KINDS:
        raise CommandError(f"--kind is one of {', '.join(sources.KINDS)}; got {kind!r}")
    if not area_files.load().is_regency(regency):
        raise CommandError(f"--regency {regency} is not known; it is a Kemendagri code with a dot, e.g. 64.08")
    found = listed(path, sources.COLUMNS[kind])
    for text, english in found.notices:
        tell(text, english)
    version = clock.now().strftime("%Y%m%dT%H%M%SZ")
    cipher, key = cipher_from(installation.environ, SPEC.name), id_key_from(installation.environ)
    await _check_id_key(installation, key)
    store = open_store(SPEC, installation.environ)
    left_out = _SkippedRows()
    with closing(found.rows()) as rows:
        try:
            # A roster may be empty; a regency has people.
            least = 1 if kind == sources.POPULATION else 0
            taken, _ = await loading.load(
                store, cipher, left_out.watched(rows), regency, key, version, kind, least, left_out.note
            )
        except loading.UnfitList as error:
            raise CommandError(
                f"{path}: {error}, so nothing was changed; needed are a NIK of 16 digits, dates as 1985-07-01 or "
                f"01/07/1985 and, of a population, status {', '.join(sources.STATUSES)}"
            ) from error
        finally:
            await store.close()
            if left_out.count:
                tell(*left_out.notice())
    return taken, version


async def _check_id_key(installation: Installation, key: bytes) -> None:
    """Raises CommandError when registration makes worker ids with another key: it would find nobody in the list."""
    store = open_store(REGISTRATION, installation.environ)
    try:
        kept = (await key_checks.recorded(store)).get(key_checks.WORKER_ID)
    finally:
        await store.close()
    if kept is not None and kept != id_check_value(key):
        raise CommandError(
            f"{secrets.ID_KEY} is not the key that registration makes worker ids with, so nobody in this list would be "
            f"found: give this command the key of registration (docs/runbooks/keys.md)"
        )


class _SkippedRows:
    """Where the rows stand that are not loaded: the first ones by name, all by number."""

    def __init__(self) -> None:
        self.count = 0
        self._named: list[str] = []
        self._last = ""

    def watched(self, rows: Iterable[Placed]) -> Iterator[dict[str, str]]:
        """The rows without their places."""
        for self._last, row in rows:
            yield row

    def note(self) -> None:
        """The row taken last is left out."""
        self.count += 1
        if self.count <= _NAMED_MAX:
            self._named.append(self._last)

    def notice(self) -> tuple[str, str]:
        """The notice (Indonesian, English)."""
        named, more = ", ".join(self._named), self.count - len(self._named)
        rest, rest_en = (f" dan {more} baris lain", f" and {more} others") if more else ("", "")
        return (
            f"Baris {named}{rest} tidak dimuat: NIK tidak 16 angka, atau ada isian yang tidak terbaca.",
            f"Rows {named}{rest_en} are not loaded: no NIK of 16 digits, or a value that cannot be read.",
        )


@dataclass(frozen=True, slots=True)
class ReferenceRows:
    """The rows of a file of reference data with their places, and the parts that are not read: pairs (Indonesian,
    English)."""

    rows: Callable[[], Generator[Placed, None, None]]
    notices: tuple[tuple[str, str], ...] = ()


def rows_of(path: Path, wanted: tuple[str, ...]) -> Generator[dict[str, str], None, None]:
    """The rows of a CSV or XLSX file by the wanted columns, with any separator and encoding. An unreadable row comes
    without a NIK."""
    for _, row in listed(path, wanted).rows():
        yield row


def listed(path: Path, wanted: tuple[str, ...]) -> ReferenceRows:
    """Reads a file: every sheet whose heading has the wanted columns. Raises CommandError, ListError."""
    source = source_of(path)
    form = READING.form(source)
    if form.format == "xlsx":
        return _of_book(source, path, wanted)
    if form.format == "jsonl":
        raise CommandError(f"{path} is no table; needed is a CSV or XLSX file with {','.join(wanted)}")
    known = _known(wanted)
    delimiter = tables.delimiter_of(form.head, known)
    top = islice(tables.records(iter(form.head), CsvLayout(delimiter)), HEADING_ROWS_MAX)
    table = _Table(_found(headings.find(top, known)), wanted)
    if table.missing:
        raise _lacks(path, table.missing, wanted)
    shape = CsvLayout(delimiter, table.width, table.least, table.heading.number)
    if not any(True for _ in islice(table.records(READING.csv(source, form.encoding, shape)), 1)):
        raise ListError(*NO_ROWS)
    notices = (form.encoding.notice,) if form.encoding.notice else ()
    return ReferenceRows(lambda: table.rows(READING.csv(source, form.encoding, shape)), notices)


def _of_book(source: Source, path: Path, wanted: tuple[str, ...]) -> ReferenceRows:
    found: dict[int, _Table] = {}
    notices: list[tuple[str, str]] = []
    missing: list[str] = []
    for sheet, items in by_sheet(READING.book(source, None)):
        cells = cells_of(items)
        top = [record for record in islice(cells, HEADING_ROWS_MAX) if record[0] <= HEADING_ROWS_MAX]
        heading = headings.find(top, _known(wanted))
        if heading is None:
            continue
        table = _Table(heading, wanted, sheet=sheet.name, pads=True, is_1904=sheet.is_1904)
        if table.missing or not sheet.visible:
            missing = table.missing if not missing or len(table.missing) < len(missing) else missing
            notices.append((f"Lembar {sheet.name} tidak dibaca.", f"The sheet {sheet.name} is not read."))
        elif any(True for _ in islice(table.records(chain(top, cells)), 1)):
            found[sheet.index] = table
    if not found:
        raise _lacks(path, missing, wanted) if missing else ListError(*NO_ROWS)

    def rows() -> Generator[Placed, None, None]:
        for sheet, items in by_sheet(READING.book(source, frozenset(found))):
            yield from found[sheet.index].rows(cells_of(items))

    return ReferenceRows(rows, tuple(notices))


class _Table:
    """One table, with the positions of the wanted columns."""

    def __init__(
        self, heading: Heading, wanted: tuple[str, ...], *, sheet: str = "", pads: bool = False, is_1904: bool = False
    ) -> None:
        self.heading = heading
        self._sheet = sheet
        self.width = len(heading.cells)
        self.least = max((place for place, cell in enumerate(heading.cells, start=1) if cell.strip()), default=0)
        named = {columns.plain(cell): place for place, cell in reversed(list(enumerate(heading.cells)))}
        self._places = {name: named.get(name, named.get(_HEADINGS.get(name, ""), -1)) for name in wanted}
        self.missing = [name for name, place in self._places.items() if place < 0]
        self._left_out = NoWorkers(heading.cells[: self.least], ends_with_signatures=len(wanted) > _FEW_COLUMNS)
        self._pads, self._is_1904 = pads, is_1904
        self._orders = {name: Order() for name in wanted if _MEANS.get(name) is values.day}

    def records(self, records: Iterable[Cells]) -> Iterator[Cells]:
        """The rows among the records below the heading."""
        return self._left_out.rows(record for record in records if record[0] > self.heading.number)

    def rows(self, records: Iterable[Cells]) -> Generator[Placed, None, None]:
        """The rows by the wanted columns, each with its place."""
        last = max(self._places.values())
        for number, cells, fault in self.records(records):
            if fault is None and self._pads and len(cells) <= last:
                # A sheet leaves out the empty end of a row. In a CSV a short line is a broken row.
                cells = [*cells, *[""] * (last + 1 - len(cells))]
            place = f"{self._sheet}:{number}" if self._sheet else str(number)
            yield place, self._row(cells) if fault is None and len(cells) > last else {}
        if any(order.is_unsure for order in self._orders.values()):
            # Half of its days would be wrong. A load that fails here replaces nothing.
            raise ListError(
                "Tanggal di berkas ini ditulis bulan dahulu, atau mungkin demikian; ubah menjadi hari/bulan/tahun. "
                "Tidak ada yang diubah.",
                "The dates of this file have the month first, or may have; write day/month/year. Nothing was changed.",
            )

    def _row(self, cells: list[str]) -> dict[str, str]:
        row = {name: values.bare(cells[place]) for name, place in self._places.items()}
        for name, order in self._orders.items():
            order.see(row[name])
        return {name: self._meant(name, cell) for name, cell in row.items()}

    def _meant(self, name: str, cell: str) -> str:
        if not cell or name not in _MEANS:
            return cell
        if self._is_1904 and _MEANS[name] is values.day:
            cell = day_of_1904(cell)
        return _MEANS[name](cell)


def _known(wanted: tuple[str, ...]) -> headings.Known:
    names = {*wanted, *(_HEADINGS.get(name, name) for name in wanted)}
    return lambda cells: len({columns.plain(cell) for cell in cells} & names)


def _found(heading: Heading | None) -> Heading:
    if heading is None:
        raise ListError("Berkas kosong.", "The file is empty.")
    return heading


def _lacks(path: Path, missing: list[str], wanted: tuple[str, ...]) -> CommandError:
    return CommandError(f"{path} lacks the columns {', '.join(missing)}; needed are {','.join(wanted)}")
