"""The workbook that a village fills in: drop-downs, a NIK column that stays text, an example above the header.

The reader of lists accepts it as it is: text above the header is no row, and it knows the words of the drop-downs.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from shared.files.workbook import TEXT
from shared.lists.values import SECTORS_ID
from shared.reference.areas import Areas

KINDS = ("workers",)
HEADER_ROW = 4
# Drop-downs and formats reach down to this row; a longer list is better sent as CSV.
LAST_ROW = 5_000
_LISTS = "Pilihan"


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its header as the reader knows it, what to enter, an example, and the name of its drop-down list."""

    header: str
    help: str
    example: str
    width: int
    picks: str | None = None
    required: bool = False


COLUMNS = (
    _Column("id_pengajuan", "Nomor Anda sendiri untuk baris ini. Boleh kosong.", "DES-001", 15),
    _Column("nik", "16 angka sesuai KTP.", "6408044107850002", 20, required=True),
    _Column("nama", "Nama lengkap sesuai KTP.", "SITI AMINAH", 26, required=True),
    _Column("tempat_lahir", "Sesuai KTP.", "Sangatta", 16),
    _Column("tanggal_lahir", "Hari/bulan/tahun, misalnya 01/07/1985.", "01/07/1985", 15, required=True),
    _Column("jenis_kelamin", "Pilih L (laki-laki) atau P (perempuan).", "P", 14, "sex", required=True),
    _Column("desa", "Pilih desa atau kelurahan tempat tinggal.", "", 38, "village", required=True),
    _Column("alamat", "Jalan dan RT, misalnya Jl. Pelita RT 003.", "Jl. Pelita RT 003", 28),
    _Column("sektor", "Pilih sektor pekerjaan.", "perikanan", 14, "sector", required=True),
    _Column("pekerjaan", "Pekerjaan sehari-hari.", "nelayan", 18, required=True),
    _Column("penghasilan", "Rupiah per bulan. Kosong berarti 1.000.000.", "1000000", 14),
    _Column("telepon", "Nomor HP, misalnya 081234567890.", "081234567890", 17),
    _Column("nama_ibu", "Nama ibu kandung.", "HALIMAH", 20),
    _Column("ahli_waris", "Nama penerima santunan.", "RAHMAT", 20),
    _Column("hubungan_ahli_waris", "Pilih hubungannya.", "suami", 18, "relation"),
    _Column("setuju", "Pekerja setuju datanya dipakai? Pilih Ya atau Tidak.", "Ya", 10, "consent", required=True),
    _Column("persetujuan", "Tanggal pekerja menandatangani persetujuan.", "04/01/2026", 15, required=True),
)
_TITLE = "Daftar pekerja rentan {regency}. Isi mulai baris 5, satu baris untuk satu pekerja. Baris 3 hanya contoh."
_TITLE_EN = "List of vulnerable workers. Enter one worker a row, from row 5 on; row 3 is only an example."


def workbook(areas: Areas, regency: str) -> bytes:
    """The template of workers of one regency, as the bytes of an XLSX file."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Pekerja"
    picks = _lists(book, areas, regency)
    sheet.append([_TITLE.format(regency=areas.name(regency) or regency)])
    sheet.append([column.help for column in COLUMNS])
    sheet.append([_example(column, areas, regency) for column in COLUMNS])
    sheet.append([column.header for column in COLUMNS])
    _dress(sheet)
    for index, column in enumerate(COLUMNS, start=1):
        _prepare(sheet, index, column, picks)
    sheet.freeze_panes = f"C{HEADER_ROW + 1}"
    _guide(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _lists(book: Workbook, areas: Areas, regency: str) -> dict[str, str]:
    """Writes the sheet of drop-down words; returns the cell range of each list. Excel takes long lists only from
    cells.
    """
    lists = {
        "sex": ["L", "P"],
        "village": [
            f"{village.code} {village.name}"
            for district in areas.districts(regency)
            for village in areas.villages(district)
        ],
        "sector": list(SECTORS_ID),
        "relation": ["suami", "istri", "anak", "orang tua", "saudara"],
        "consent": ["Ya", "Tidak"],
    }
    sheet: Any = book.create_sheet(_LISTS)
    ranges = {}
    for index, (name, words) in enumerate(lists.items(), start=1):
        letter = get_column_letter(index)
        for row, word in enumerate(words, start=1):
            sheet.cell(row, index, word).number_format = TEXT
        sheet.column_dimensions[letter].width = 40 if name == "village" else 14
        ranges[name] = f"{_LISTS}!${letter}$1:${letter}${len(words)}"
    sheet.sheet_state = "hidden"
    return ranges


def _example(column: _Column, areas: Areas, regency: str) -> str:
    if column.picks != "village":
        return column.example
    village = areas.villages(areas.districts(regency)[0])[0]
    return f"{village.code} {village.name}"


def _dress(sheet: Any) -> None:
    sheet["A1"].font = Font(bold=True, size=13)
    for cell in sheet[2]:
        cell.font = Font(size=9, color="54646D")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in sheet[3]:
        cell.font = Font(italic=True, color="808080")
        cell.number_format = TEXT
    for cell, column in zip(sheet[HEADER_ROW], COLUMNS, strict=True):
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="0B7A75" if column.required else "54646D")
        wanted = "Wajib diisi. " if column.required else "Boleh kosong. "
        cell.comment = Comment(wanted + column.help, "Payung")
    sheet.row_dimensions[2].height = 48


def _prepare(sheet: Any, index: int, column: _Column, picks: dict[str, str]) -> None:
    letter = get_column_letter(index)
    dimension = sheet.column_dimensions[letter]
    dimension.width = column.width
    # All cells are text: otherwise Excel shows a NIK as 6.40E+15, loses its last digits, and drops the 0 of a phone
    # number.
    dimension.number_format = TEXT
    for row in range(HEADER_ROW + 1, LAST_ROW + 1):
        sheet.cell(row, index).number_format = TEXT
    first = f"{letter}{HEADER_ROW + 1}"
    if column.picks is not None:
        rule = DataValidation("list", formula1=picks[column.picks], allow_blank=True)
        rule.error = "Pilih dari daftar."
    elif column.header == "nik":
        rule = DataValidation("custom", formula1=f"AND(LEN({first})=16,ISNUMBER(--{first}))", allow_blank=True)
        rule.error = "NIK harus 16 angka, sesuai KTP."
    else:
        return
    rule.errorTitle, rule.showErrorMessage = "Periksa isian", True
    rule.add(f"{first}:{letter}{LAST_ROW}")
    sheet.add_data_validation(rule)


def _guide(book: Workbook) -> None:
    sheet: Any = book.create_sheet("Petunjuk")
    sheet.column_dimensions["A"].width = 110
    for line in (
        "Cara mengisi",
        "1. Isi lembar Pekerja mulai baris 5. Kolom berwarna hijau wajib diisi.",
        "2. Jangan mengubah nama kolom di baris 4. Baris contoh (baris 3) tidak ikut terkirim.",
        "3. Bila menempel data dari berkas lain, pilih Tempel Nilai (Paste Values) agar NIK tetap teks.",
        "4. Simpan, lalu kirim di halaman Kirim daftar pekerja.",
        "5. Unduh berkas jawaban, perbaiki baris yang ditolak, lalu kirim berkas jawaban itu lagi.",
        "",
        _TITLE_EN,
    ):
        sheet.append([line])
    sheet["A1"].font = Font(bold=True, size=13)
