"""The meaning of one cell: amounts, sexes, sectors as people write them (dates: `dates`), converted to the contract's
form.

A cell that cannot be understood is passed on as its raw text, so that the service refuses it with its own reason: the
file reader judges nothing. Pure; every converter takes the stripped text of a cell that is not empty.
"""

from __future__ import annotations

import re
from functools import lru_cache

from shared.contracts.yes_no import parse
from shared.kernel.contacts import phone as phone
from shared.kernel.contacts import relation as relation
from shared.kernel.debris import bare as bare
from shared.kernel.debris import without_text_mark as without_text_mark
from shared.lists.dates import day as day  # functions of other modules, offered with these

_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
_DOTTED = re.compile(r"\d{1,3}(\.\d{3})+(,0{1,2})?")
_COMMAED = re.compile(r"\d{1,3}(,\d{3})+(\.0{1,2})?")
_PLAIN = re.compile(r"(\d+)([.,]0{1,2})?")
_THOUSANDS = re.compile(r"(\d{1,6})(?:ribu|rb)")
_A_MONTH = re.compile(r"(?:/|per)(?:bulan|bln)\.?$")
_MILLIONS = re.compile(r"(\d+)(?:[.,](\d))?(juta|jt)")

_VILLAGE = re.compile(r"(\d{2}\.\d{2}\.\d{2}\.\d{4})(?!\d)")
_GROUPED = re.compile(r"\d(?:[ .\-\u2010-\u2015]*\d){15}", re.ASCII)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ .\-\u2010-\u2015](?=\d)")
_NO_DIGIT = re.compile(r"\D", re.ASCII)

_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_SEXES = {
    "l": "M",
    "m": "M",
    "lk": "M",
    "laki": "M",
    "lakilaki": "M",
    "laki2": "M",
    "pria": "M",
    "male": "M",
    "p": "F",
    "f": "F",
    "pr": "F",
    "perempuan": "F",
    "wanita": "F",
    "female": "F",
}

SECTORS_ID = {
    "pertanian": "agriculture",
    "perkebunan": "plantation",
    "perikanan": "fisheries",
    "peternakan": "livestock",
    "perdagangan": "trade",
    "transportasi": "transport",
    "konstruksi": "construction",
    "kerajinan": "crafts",
    "jasa": "services",
    "lainnya": "other",
}
_SECTORS = SECTORS_ID | {name: name for name in SECTORS_ID.values()} | {"angkutan": "transport", "lain-lain": "other"}

_WORDS: dict[str, dict[str, str]] = {
    "reason": {
        "pindah": "moved",
        "meninggal": "deceased",
        "meninggal dunia": "deceased",
        "bekerja": "employed",
        "permintaan": "request",
        "permintaan sendiri": "request",
        "lainnya": "other",
    },
    "kind": {"beasiswa": "scholarship", "kecelakaan kerja": "jkk", "kematian": "jkm"},
    "cause": {
        "kecelakaan": "accident",
        "sakit": "illness",
        "penyakit": "illness",
        "alami": "natural",
        "wajar": "natural",
    },
    "outcome": {
        "perawatan": "treatment",
        "sementara": "temporary",
        "cacat sebagian": "partial",
        "sebagian": "partial",
        "cacat total": "total",
        "meninggal": "death",
        "meninggal dunia": "death",
    },
    "level": {"perguruan tinggi": "higher", "kuliah": "higher"},
}


def text(cell: str) -> str:
    """The text as it is."""
    return cell


def nik(cell: str) -> str:
    """A NIK without the marks that spreadsheets put around it and that people put between groups of digits."""
    number = without_text_mark(cell).strip()
    if len(number) == 18:
        number = number.removesuffix(".0")
    return _NO_DIGIT.sub("", number) if _GROUPED.fullmatch(number) else number


def card_number(cell: str) -> str:
    """The number of a participant's card, without the marks that spreadsheets and people put around its digits."""
    number = cell.lstrip("'’`").strip().removesuffix(".0")
    digits = _BETWEEN_DIGITS.sub("", number)
    return digits if digits.isascii() and digits.isdigit() else number


def is_scientific(cell: str) -> bool:
    """Whether a spreadsheet has turned a long number into 6.40E+15: its last digits are lost."""
    return _SCIENTIFIC.fullmatch(cell) is not None


def village(cell: str) -> str:
    """A village code, also from a drop-down's `64.08.04.2001 Swarga Bara`."""
    found = _VILLAGE.match(cell)
    return found[1] if found else cell


@lru_cache(maxsize=8_192)
def amount(cell: str) -> int | str:
    """Whole rupiah, from 1.000.000, 1000000, Rp 1.000.000,- per bulan, 500 ribu or 1,5 juta."""
    plain = cell.lower().replace("\u00a0", "").replace(" ", "").removeprefix("rp").removeprefix("idr").lstrip(".:")
    plain = _A_MONTH.sub("", plain).removesuffix(",-").removesuffix(".-")
    if _DOTTED.fullmatch(plain):
        return int(plain.split(",")[0].replace(".", ""))
    if _COMMAED.fullmatch(plain):
        return int(plain.split(".")[0].replace(",", ""))
    if found := _PLAIN.fullmatch(plain):
        return int(found[1]) if len(found[1]) <= 15 else cell
    if found := _THOUSANDS.fullmatch(plain):
        return int(found[1]) * 1_000
    if found := _MILLIONS.fullmatch(plain):
        return int(found[1]) * 1_000_000 + int(found[2] or 0) * 100_000
    return cell


# No income of a month is smaller than this. Such a cell is in thousands or in millions, and does not say which.
_INCOME_LEAST = 10_000


def income(cell: str) -> int | str:
    """An income by the month in whole rupiah. A number that is too small (1.000, 1500) has another unit and stays a
    text, which the service refuses; 0 is an income."""
    found = amount(cell)
    return cell if isinstance(found, int) and 0 < found < _INCOME_LEAST else found


def whole(cell: str) -> int | str:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= 15 else cell


def percent(cell: str) -> int | float | str:
    """A percentage: 5, 12,5 or 12.5%."""
    plain = cell.removesuffix("%").strip().replace(",", ".")
    try:
        number = float(plain)
    except ValueError:
        return cell
    if number != number or abs(number) > 1_000:
        return cell
    return int(number) if number.is_integer() else number


def sex(cell: str) -> str:
    """F or M, from L/P, Laki-laki/Perempuan, F/M."""
    return _SEXES.get(_NO_LETTER_OR_DIGIT.sub("", cell.lower()), cell)


def sector(cell: str) -> str:
    """A sector of the contract, from its English or Indonesian name."""
    return _SECTORS.get(cell.lower(), cell)


def codes(cell: str) -> list[str] | str:
    """Document codes, separated by blanks, commas, semicolons or bars. The raw text when a word says that a document is
    missing (`belum ada kk1`): such a list is invalid."""
    if any(parse(part) is False for part in re.split(r"[\s,;|]+", cell) if part):
        return cell
    return [code for code in re.split(r"[\s,;|]+", cell.lower()) if code]


def word(list_name: str, cell: str) -> str:
    """A word of one of the contract's short lists, from its Indonesian name; in lower case."""
    lower = " ".join(cell.lower().split())
    return _WORDS[list_name].get(lower, lower)


def leaving_reason(cell: str) -> str:
    """Why a worker leaves."""
    return word("reason", cell)


def claim_kind(cell: str) -> str:
    """jkk, jkm or scholarship."""
    return word("kind", cell)


def cause(cell: str) -> str:
    """The cause of a claim's event."""
    return word("cause", cell)


def injury_outcome(cell: str) -> str:
    """What an accident led to."""
    return word("outcome", cell)


def school_level(cell: str) -> str:
    """The level of a child's school."""
    return word("level", cell)
