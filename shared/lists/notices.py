"""The notices about a file: what the reader assumed or left out. Each is a pair of texts, Indonesian and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Notice = tuple[str, str]

# The number of lines that a notice names.
NAMED_MAX = 8
# With more unknown columns than this, one notice names them all.
_UNUSED_SINGLY = 10


def all_month_first(columns: str) -> Notice:
    """The notice about a file whose dates have the month first."""
    return (
        f"Tanggal di berkas ini ditulis bulan dahulu, terlihat di kolom {columns}; tidak ada yang dibalik diam-diam. "
        "Ubah format kolom menjadi hari/bulan/tahun lalu kirim lagi.",
        f"The dates of this file have the month first, as the column {columns} shows; none is turned in silence. "
        "Change the columns to day/month/year and send the file again.",
    )


def two_orders(columns: str) -> Notice:
    """The notice about columns with both orders of day and month."""
    return (
        f"Kolom {columns} memuat tanggal dengan hari dahulu dan tanggal dengan bulan dahulu; tanggal yang dapat dibaca "
        "dengan dua cara ditolak. Tulis semuanya hari/bulan/tahun lalu kirim lagi.",
        f"The column {columns} holds dates with the day first and dates with the month first; dates that can be read "
        "in two ways are refused. Write all as day/month/year and send the file again.",
    )


def with_am_or_pm(columns: str) -> Notice:
    """The notice about columns whose dates end with AM or PM and can be read in two ways."""
    return (
        f"Kolom {columns} memuat jam dengan AM/PM, tanda bahwa bulan mungkin ditulis dahulu; tanggal yang dapat dibaca "
        "dengan dua cara ditolak. Ubah format kolom menjadi hari/bulan/tahun tanpa jam lalu kirim lagi.",
        f"The column {columns} holds times with AM/PM, a sign that the month may come first; dates that can be read in "
        "two ways are refused. Change the column to day/month/year without a time and send the file again.",
    )


def maybe_turned(column: str) -> Notice:
    """The notice about a column of a workbook whose dates a spreadsheet of another country may have turned."""
    return (
        f"Di kolom {column} sebagian tanggal dikenali Excel (semuanya tanggal 1 sampai 12) dan sebagian hanya teks: "
        "Excel mungkin membalik hari dan bulan. Tanggal yang dapat dibalik ditolak; tulis bulannya dengan kata.",
        f"In the column {column} Excel took some dates (all of the days 1 to 12) and left others as text: it may have "
        "turned day and month. Dates that can be turned are refused; write the month as a word.",
    )


def some_month_first(column: str, count: int) -> Notice:
    """The notice about a few dates with the month first in a column with the day first."""
    return (
        f"Kolom {column} dibaca hari dahulu; {count} tanggal yang hanya dapat berarti bulan dahulu ditolak.",
        f"The column {column} is read with the day first; {count} dates with the month first are refused.",
    )


def not_taken(name: str, place: int, used: str, *, is_code: bool = False) -> Notice:
    """The notice about a second column for the same field; `place` counts from 1. `is_code`:
    the other column has codes and this one names."""
    if is_code:
        return (
            f"Kolom {name} (kolom ke-{place}) tidak dipakai; kode di kolom {used} yang dipakai.",
            f"The column {name} (column {place}) is not used; the codes in the column {used} are.",
        )
    return (
        f"Kolom {name} (kolom ke-{place}) tidak dipakai; isinya diambil dari kolom {used}.",
        f"The column {name} (column {place}) is not used; the column {used} is.",
    )


def empty_twin(name: str, place: int, used: str) -> Notice:
    """The notice about a column without any value, beside a filled one for the same field."""
    return (
        f"Kolom {name} (kolom ke-{place}) kosong dan tidak dipakai; isinya diambil dari kolom {used}.",
        f"The column {name} (column {place}) is empty and not used; the column {used} is.",
    )


def sometimes_taken(name: str, place: int, count: int, main: str, count_of_main: int) -> Notice:
    """The notice about a column from which only some rows are read, because the main one for the field has no value
    in them."""
    return (
        f"Kolom {name} (kolom ke-{place}) dipakai di {count} baris, kolom {main} di {count_of_main} baris.",
        f"The column {name} (column {place}) is used in {count} rows, the column {main} in {count_of_main} rows.",
    )


def twins_differ(name: str, other: str, count: int, *, refused: bool) -> Notice:
    """The notice about rows in which two columns for the same field differ."""
    then, then_en = ("baris itu ditolak", "they are refused")
    if not refused:
        then, then_en = f"yang dipakai kolom {name}", f"the column {name} is used"
    return (
        f"Kolom {name} dan {other} berbeda di {count} baris; {then}.",
        f"The columns {name} and {other} differ in {count} rows; {then_en}.",
    )


def unlike_its_code(numbers: Sequence[int], where: str) -> Notice:
    """The notice about rows whose village code belongs to another village than the name beside it."""
    named, (at_id, at_en) = lines_named(numbers), _at(where)
    return (
        f"Kode desa dan nama desa di baris {named}{at_id} menunjuk desa yang berbeda; kodenya yang dipakai. Periksa "
        "kodenya.",
        f"The code and the name of the village in the rows {named}{at_en} mean different villages; the code is used. "
        "Check the code.",
    )


def example_line(number: int, where: str) -> Notice:
    """The notice about the example of a template, above its heading."""
    at_id, at_en = _at(where)
    return (
        f"Baris {number}{at_id} di atas judul kolom adalah contoh dan tidak dibaca.",
        f"The line {number}{at_en} above the headings is the example and is not read.",
    )


def headings_differ(number: int, first: int, where: str) -> Notice:
    """The notice about another heading in the middle of a table, by which the rows below it are read; `where` is the
    name of the sheet, or empty."""
    at_id, at_en = _at(where)
    return (
        f"Baris {number}{at_id} adalah judul kolom yang berbeda dengan baris {first}; baris di bawahnya dibaca menurut "
        "judul itu.",
        f"The line {number}{at_en} is a heading that differs from line {first}; the rows below it are read by it.",
    )


def incomplete_heading(number: int, missing: str, where: str) -> Notice:
    """The notice about another heading in the middle of a table, whose rows are refused."""
    at_id, at_en = _at(where)
    return (
        f"Baris {number}{at_id} adalah judul kolom lain tanpa kolom wajib {missing}; baris di bawahnya ditolak.",
        f"The line {number}{at_en} is another heading, without the required columns {missing}; the rows below it are "
        "refused.",
    )


def _at(where: str) -> Notice:
    return (f" di lembar {where}", f" of the sheet {where}") if where else ("", "")


def lines_named(numbers: Iterable[int]) -> str:
    """The numbers of lines for a notice: the first ones, and a mark when there are more."""
    found = sorted(numbers)
    return ", ".join(map(str, found[:NAMED_MAX])) + (", …" if len(found) > NAMED_MAX else "")


def all_unused(unknown: Mapping[str, str | None]) -> tuple[Notice, ...]:
    """The notices about unknown columns by the column that each probably means. Many without a meaning get one notice
    together: a workbook may have hundreds of them, and other notices must stay visible.
    """
    other = [name for name, meant in unknown.items() if meant is None]
    if len(other) <= _UNUSED_SINGLY:
        return tuple(unused(name, meant) for name, meant in unknown.items())
    told = tuple(unused(name, meant) for name, meant in unknown.items() if meant is not None)
    names = ", ".join(other)
    return (
        *told,
        (f"{len(other)} kolom tidak dipakai: {names}.", f"{len(other)} columns are not used: {names}."),
    )


def unused(name: str, meant: str | None) -> Notice:
    """The notice about an unknown column."""
    hint_id, hint_en = (f" (maksudnya {meant}?)", f" (did you mean {meant}?)") if meant else ("", "")
    return f"Kolom {name} tidak dipakai{hint_id}.", f"The column {name} is not used{hint_en}."
