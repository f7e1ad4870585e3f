"""Finds lines of a table that are not rows: column numbers, totals, notes, another heading, the signatures at its end.

They are reported once, by their numbers, and never refused one by one. In doubt a line counts as a row; a line with a
number like a NIK always does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from shared.lists.columns import plain
from shared.lists.headings import blank
from shared.lists.notices import Notice, lines_named
from shared.lists.tables import Cells

_TOTAL = re.compile(r"(grand\s*|sub\s*)?(jumlah|jml|total)\b", re.IGNORECASE)
_NOTE = re.compile(r"(catatan|keterangan|ket\.|nb|n\.b|sumber|note)\b\s*[:.]?", re.IGNORECASE)
# A line between the rows that names the group of those below it: `Dusun II`, `RT 03`, `Kecamatan Bengalon`.
_GROUP = re.compile(
    r"(dusun|dukuh|lingkungan|kampung|rt|rw|rt\s*/\s*rw|desa|kelurahan|kel|kecamatan|kec|kelompok|blok|wilayah|halaman)"
    r"\b[ .:/]*\S",
    re.IGNORECASE,
)
_FIRST_LETTERS = frozenset("jJtTgGsScCkKnNdDlLrRbBwWhH")
_GAPS = re.compile(r"(?<=\d)[ .\-](?=\d)")
# A NIK, also with missing or extra digits; the number of an official (NIP) has 18 digits.
_LIKE_A_NIK = re.compile(r"(?<!\d)\d{10,17}(?!\d)|\d[.,]?\d*[eE]\+\d\d")
_NIK = re.compile(r"(?<!\d)\d(?:[ .\-]?\d){15}(?!\d)")
_NUMBERED = re.compile(r"\(?\s*(\d{1,3})\s*[).]?")
_SPARSE_CELLS = 2
_HELD_MAX = 50


class NoWorkers:
    """Passes on the rows of one table, and keeps the numbers of the lines that are not rows.

    `is_heading` recognises another heading below the first, and is called once with each line that may be one.
    """

    def __init__(
        self,
        heading: Sequence[str],
        *,
        ends_with_signatures: bool,
        is_heading: Callable[[int, Sequence[str]], bool] = lambda number, cells: False,
    ) -> None:
        self._heading = [plain(cell) for cell in heading]
        self._first = heading[0].strip().lower() if heading else ""
        self._signed = ends_with_signatures
        self._is_other_heading = is_heading
        self.numbers: set[int] = set()

    def rows(self, records: Iterable[Cells]) -> Iterator[Cells]:
        """The rows among the records below the heading."""
        self.numbers = set()
        held: list[Cells] = []
        title: list[Cells] = []
        first, ended, last = True, False, 0
        for record in records:
            number, cells, fault = record
            if blank(cells) and fault is None:
                ended = True
                continue
            gap = ended or (last > 0 and number > last + 1)
            last, ended = number, False
            is_heading = fault is None and self._is_heading(number, cells)
            if is_heading or (fault is None and self._is_none(cells, first=first)):
                # The lines above a heading are its title.
                if is_heading:
                    self.numbers |= {one for one, _, _ in (*held, *title)}
                    held.clear()
                    title.clear()
                self.numbers.add(number)
                # The lines below a total may be the signatures, those below a heading the numbers of the columns.
                first, ended = is_heading, True
                continue
            first = False
            yield from title
            title.clear()
            if fault is None and self._signed and _is_sparse(cells) and len(held) < _HELD_MAX:
                if gap or held:
                    held.append(record)
                    ended = True
                    continue
                if len(_filled(cells)) == 1:
                    # Directly below a row: the title of a further table, or a row with one cell.
                    title.append(record)
                    continue
            yield from held
            held.clear()
            yield record
        yield from title
        self.numbers |= {number for number, _, _ in held}

    def _is_heading(self, number: int, cells: Sequence[str]) -> bool:
        if self._is_other_heading(number, cells):
            return True
        width = len(self._heading)
        return cells[0].strip().lower() == self._first and [plain(cell) for cell in cells][:width] == self._heading

    def _is_none(self, cells: Sequence[str], *, first: bool) -> bool:
        # This runs for every row, and nearly every row starts unlike such a line.
        lead = cells[0].strip() or next(cell.strip() for cell in cells if cell.strip())
        if first and _are_column_numbers(_filled(cells)):
            return True
        if lead[0] not in _FIRST_LETTERS:
            return False
        if _TOTAL.match(lead):
            filled = _filled(cells)
            return 2 * len(filled) <= len(self._heading) + 1 and not has_nik(filled)
        if not self._signed or not (_NOTE.match(lead) or _GROUP.match(lead)):
            return False
        # A note may contain a telephone number, so only a whole NIK shows that the line is a row.
        number = _NIK if _NOTE.match(lead) else _LIKE_A_NIK
        return len(_filled(cells)) == 1 and not number.search(_GAPS.sub("", lead))

    def notice(self, where: str = "", apart: Iterable[int] = ()) -> Notice | None:
        """The notice about the lines that are not rows, without those of `apart`; None when there are none."""
        numbers = self.numbers.difference(apart)
        if not numbers:
            return None
        shown = lines_named(numbers)
        place_id, place_en = (f" di lembar {where}", f" of the sheet {where}") if where else ("", "")
        return (
            f"Baris {shown}{place_id} tidak memuat data (nomor kolom, jumlah, catatan, judul, tanda tangan) dan "
            "dilewati.",
            f"The lines {shown}{place_en} hold no data (column numbers, totals, notes, headings, signatures) and are "
            "left out.",
        )


def _are_column_numbers(filled: Sequence[str]) -> bool:
    """Whether these cells are (1) (2) (3), the column numbers below a heading."""
    found = [_NUMBERED.fullmatch(cell) for cell in filled]
    return len(filled) >= 3 and [int(one[1]) if one else 0 for one in found] == list(range(1, len(filled) + 1))


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells if cell.strip()]


def _is_sparse(cells: Sequence[str]) -> bool:
    filled = _filled(cells)
    return len(filled) <= _SPARSE_CELLS and not has_nik(filled)


def has_nik(filled: Sequence[str]) -> bool:
    """Whether one of these cells holds a number like a NIK."""
    return any(_LIKE_A_NIK.search(_GAPS.sub("", cell)) for cell in filled)
