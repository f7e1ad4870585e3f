"""Reference data by command: the one road beside Kafka, straight into the service that owns it (contracts.md 4)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path

from payung.place import CommandError, Place
from services.verification.facts import sources
from services.verification.stream import SPEC
from shared.contracts.reasons import COLUMNS_ID
from shared.lists import columns, tables, values
from shared.lists.source import Source, source_of
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.app import open_store
from shared.runtime.crypto import cipher_from, id_key_from

# How registers and offices in Indonesia head these columns, and what they write in them.
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


async def load_snapshot(place: Place, path: Path, regency: str) -> tuple[int, str]:
    """Loads a population file as the regency's snapshot; returns its rows and version."""
    taken, _, version = await load_source(place, path, regency, sources.POPULATION)
    return taken, version


async def load_source(place: Place, path: Path, regency: str, kind: str) -> tuple[int, int, str]:
    """Loads one kind of list as the regency's; returns the rows taken, the rows left out, and the version."""
    if kind not in sources.KINDS:
        raise CommandError(f"--kind is one of {', '.join(sources.KINDS)}; got {kind!r}")
    if not area_files.load().is_regency(regency):
        raise CommandError(f"--regency {regency} is not known; it is a Kemendagri code with a dot, e.g. 64.08")
    version = clock.now().strftime("%Y%m%dT%H%M%SZ")
    store = open_store(SPEC, place.environ)
    with closing(rows_of(path, sources.COLUMNS[kind])) as rows:
        try:
            cipher, key = cipher_from(place.environ, SPEC.name), id_key_from(place.environ)
            # A roster may be empty; a regency is not.
            least = 1 if kind == sources.POPULATION else 0
            taken, skipped = await sources.load(store, cipher, rows, regency, key, version, kind, least)
        except sources.UnfitList as error:
            raise CommandError(
                f"{path}: {error}, so nothing was changed; needed are a NIK of 16 digits, dates as 1985-07-01 or "
                f"01/07/1985 and, of a population, status {', '.join(sources.STATUSES)}"
            ) from error
        finally:
            await store.close()
    return taken, skipped, version


def rows_of(path: Path, wanted: tuple[str, ...]) -> Generator[dict[str, str], None, None]:
    """The rows of a CSV or XLSX file by the wanted columns, whatever its separator and encoding. A row that cannot be
    read comes without a NIK."""
    source = source_of(path)
    with closing(_cells(source)) as table:
        header = next((cells for _, cells, _ in table), [])
        named = {columns.plain(cell): place for place, cell in reversed(list(enumerate(header)))}
        places = {name: named.get(name, named.get(_HEADINGS.get(name, ""), -1)) for name in wanted}
        missing = [name for name, place in places.items() if place < 0]
        if missing:
            raise CommandError(f"{path} lacks the columns {', '.join(missing)}; needed are {','.join(wanted)}")
        for _, cells, fault in table:
            if not any(cells):
                continue
            if fault is not None or len(cells) <= max(places.values()):
                yield {}
                continue
            row = {name: cells[place].strip() for name, place in places.items()}
            yield {name: _MEANS[name](cell) if cell and name in _MEANS else cell for name, cell in row.items()}


def _cells(source: Source) -> Generator[tables.Cells, None, None]:
    if tables.format_of(source) == "xlsx":
        with closing(tables.xlsx_sheets(source)) as sheets:
            for sheet in islice(sheets, 1):
                yield from sheet
        return
    yield from tables.csv_cells(source, *tables.csv_form(source, header_rows_max=1))
