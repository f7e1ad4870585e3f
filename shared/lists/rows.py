"""The results of reading a list: the file, its rows, and the problems of rows that cannot be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from shared.contracts.reasons import Reason
from shared.lists.columns import ListKind
from shared.lists.source import Source
from shared.lists.tables import Fault

# The rows of a workbook's second table are numbered from here on, those of the third from twice this. So every row of a
# file has its own number, and rows of the first table have the numbers of their sheet.
SHEET_STEP = 10_000_000
# Columns that tell where a row stands, in the answers to a workbook with several tables.
PLACE_COLUMNS = ("lembar", "baris")
NO_ROWS = ("Berkas hanya berisi judul kolom, tanpa baris.", "The file has headings and no rows.")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be sent: the column as in the file, the reason code and the words for the clerk."""

    column: str
    reason: str
    message_id: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What the reader knows about a cell that the service will refuse: the field that the reason names, and words for
    the clerk that say more than the reason's own (Indonesian, English)."""

    field: str
    message_id: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list: where it stands, its cells, and the data of its event.

    For a row with `problems`, only the refusal is sent (`sent`); `remarks` are kept beside the sent data. `number`
    counts as a spreadsheet does: the header of a table is row 1, the first line of a JSONL file is row 1; it is unique
    in the file (SHEET_STEP). `envelope` is the whole event when a JSONL line was one. `sheet` is set when rows come
    from several sheets.
    """

    number: int
    header: tuple[str, ...]
    cells: tuple[str, ...]
    type: str
    data: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    envelope: dict[str, Any] | None = None
    remarks: tuple[Remark, ...] = ()
    sheet: str = ""

    @property
    def sent(self) -> dict[str, Any]:
        """The data of the row's event. For a row that cannot be read it is only the reason: the service refuses the row
        with it, so that it counts in the agency's quality like all others."""
        if not self.problems:
            return self.data
        return refused_row(self, self.problems[0].reason)

    @property
    def name(self) -> str:
        """The submission id of a row whose list has none."""
        return name_of(self.number)

    @property
    def line(self) -> int:
        """Its number in its sheet."""
        return self.number % SHEET_STEP

    @property
    def place(self) -> str:
        """Where a clerk finds the row, in Indonesian."""
        return f"lembar {self.sheet} baris {self.line}" if self.sheet else f"baris {self.line}"

    @property
    def columns(self) -> dict[str, str]:
        """The original cells by header."""
        return dict(zip(self.header, self.cells, strict=True))


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list file whose header is understood. Each call of `rows` reads it from the start and gives `count` rows.

    `notices` are pairs (Indonesian, English) that tell what the reader assumed or left out.
    """

    source: Source
    kind: ListKind
    format: Literal["csv", "xlsx", "jsonl"]
    delimiter: str
    bom: bool
    header: tuple[str, ...]
    notices: tuple[tuple[str, str], ...]
    rows: Callable[[], Iterator[Row]]
    count: int = 0
    sheets: tuple[str, ...] = ("",)

    @property
    def has_places(self) -> bool:
        """Whether its rows come from several sheets, so that a row's number alone does not tell where it is."""
        return len(self.sheets) > 1


def name_of(number: int) -> str:
    """The name of a row from its number in the file; rows of the first table keep the plain number."""
    return str(number) if number < SHEET_STEP else f"L{number // SHEET_STEP + 1}-{number % SHEET_STEP}"


def refused_row(row: Row, reason: str) -> dict[str, Any]:
    """The data of a row that was refused before it could be sent (`reasons.row_fault`)."""
    return {"submission_id": row.name, "row_fault": reason}


FAULTS: dict[Fault, Problem] = {
    "undecodable": Problem(
        "",
        Reason.ROW_UNREADABLE,
        "Baris ini tidak tertulis dalam pengodean yang sama dengan baris lain; simpan berkas sebagai CSV UTF-8.",
        "This row is written in another encoding than the others; save the file as CSV UTF-8.",
    ),
    "open-quote": Problem(
        "",
        Reason.ROW_RAGGED,
        'Tanda kutip (") pada baris ini tidak ditutup; hapus atau tutup tanda kutipnya.',
        'A quotation mark (") of this row is never closed; remove or close it.',
    ),
    "long": Problem(
        "",
        Reason.ROW_UNREADABLE,
        "Baris ini terlalu panjang untuk dibaca; periksa isinya.",
        "This row is too long to be read; check what it holds.",
    ),
    "wide": Problem(
        "",
        Reason.ROW_RAGGED,
        "Baris ini memuat terlalu banyak kolom; periksa tanda pemisah.",
        "This row has too many columns; check the separators.",
    ),
}
NOT_JSON = Problem(
    "",
    Reason.ROW_UNREADABLE,
    "Baris ini bukan objek JSON yang sah; satu baris harus memuat satu objek.",
    "This line is no valid JSON object; each line must hold one object.",
)


def ragged(count: int, expected: int) -> Problem:
    """A row whose number of cells differs from the header."""
    return Problem(
        "",
        Reason.ROW_RAGGED,
        f"Baris ini memuat {count} kolom, judulnya {expected}; periksa tanda pemisah.",
        f"This row has {count} columns, the header {expected}; check the separators.",
    )


def lost_digits(field: str, cell: str) -> Remark:
    """A NIK that a spreadsheet has shortened to 6.40E+15."""
    return Remark(
        field,
        f"Excel mengubah NIK menjadi {cell} dan angka terakhirnya hilang; format kolom sebagai Teks lalu isi ulang.",
        f"Excel turned the NIK into {cell} and lost its last digits; format the column as Text and enter it again.",
    )


def shortened_number(field: str, column: str, cell: str) -> Remark:
    """Another long number that a spreadsheet has shortened: a telephone, a family card, an account."""
    return Remark(
        field,
        f"Kolom {column}: Excel mengubah angka menjadi {cell} dan angka terakhirnya hilang; format kolom sebagai Teks "
        "lalu isi ulang.",
        f"The column {column}: Excel turned the number into {cell} and lost its last digits; format the column as Text "
        "and enter it again.",
    )


def spreadsheet_error(field: str, column: str, error: str) -> Remark:
    """A formula whose result is an error."""
    return Remark(
        field,
        f"Kolom {column} berisi galat Excel {error}; perbaiki rumusnya atau ketik isinya.",
        f"The column {column} holds the spreadsheet error {error}; mend the formula or type the value.",
    )


def marked(field: str, column: str, mark: str) -> Remark:
    """A cell with a control character or a lost letter inside."""
    return Remark(
        field,
        f"Kolom {column} berisi tanda yang tidak terbaca ({mark}); hapus atau ketik ulang isinya.",
        f"The column {column} holds an unreadable mark ({mark}); remove it or type the value again.",
    )


def unclear_yes(field: str, column: str, cell: str) -> Remark:
    """A question for the worker's yes without a clear answer."""
    shown, shown_en = (f"berisi {cell}", f"holds {cell}") if cell else ("kosong", "is empty")
    return Remark(
        field,
        f"Kolom {column} {shown}; isi Ya bila pekerja menyetujui, atau Tidak.",
        f"The column {column} {shown_en}; write Ya when the worker agrees, or Tidak.",
    )


def sex_code(column: str, code: str) -> Remark:
    """A number instead of a sex."""
    return Remark(
        "sex",
        f"Kolom {column} berisi kode {code}; kode tidak dipakai, isi L (laki-laki) atau P (perempuan).",
        f"The column {column} holds the code {code}; codes are not used, write L (male) or P (female).",
    )


def month_first(field: str, column: str, cell: str) -> Remark:
    """A date that has the month first, or stands in a column that has."""
    return Remark(
        field,
        f"Kolom {column}: tanggal ini ditulis bulan dahulu ({cell}); tulis hari dahulu, misalnya 31/12/1985.",
        f"The column {column}: this date has the month first ({cell}); write the day first (31/12/1985).",
    )


def two_meanings(field: str, column: str, cell: str) -> Remark:
    """A date that can be read in two ways, in a file that may have its month first."""
    return Remark(
        field,
        f"Kolom {column}: {cell} dapat berarti hari dahulu atau bulan dahulu, dan berkas ini tidak memastikannya; "
        "tulis bulannya dengan kata, misalnya 7 Januari 1985.",
        f"The column {column}: {cell} can have the day or the month first, and the file does not tell which; write "
        "the month as a word (7 Januari 1985).",
    )


ABOVE_THE_HEADING = Problem(
    "",
    Reason.ROW_UNREADABLE,
    "Baris ini berada di atas judul kolom; pindahkan ke bawah judul lalu kirim lagi.",
    "This row stands above the headings; move it below them and send it again.",
)


def under_incomplete_heading(number: int, missing: str) -> Problem:
    """A row below another heading of its table, which lacks required columns."""
    return Problem(
        "",
        Reason.ROW_UNREADABLE,
        f"Baris ini berada di bawah judul kolom lain (baris {number}) tanpa kolom wajib {missing}; lengkapi judul itu, "
        "atau kirim tabel ini sebagai berkas sendiri.",
        f"This row stands below another heading (line {number}) without the required columns {missing}; complete that "
        "heading, or send this table as a file of its own.",
    )


def two_values(reason: str, name: str, other: str) -> Problem:
    """A row in which two columns for the same field state different values."""
    return Problem(
        name,
        reason,
        f"Kolom {name} dan kolom {other} berisi data yang berbeda; isi satu saja, atau samakan keduanya.",
        f"The columns {name} and {other} state different values; fill in one of them, or make them equal.",
    )


def no_value(column: str) -> Problem:
    """A formula that was saved without its result, so the cell's value is unknown."""
    return Problem(
        column,
        Reason.FORMULA_WITHOUT_VALUE,
        f"Kolom {column} berisi rumus tanpa hasil; buka berkas di Excel, simpan, lalu kirim lagi.",
        f"The column {column} holds a formula without its result; open the file in Excel, save it and send it again.",
    )
