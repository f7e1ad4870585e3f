"""What one cell means: dates, amounts, sexes, sectors as people write them, made as the contract wants them.

A cell that cannot be understood is passed on as its raw text, so that the service refuses it with its own reason:
the file reader judges nothing. Pure; every converter takes the stripped text of a cell that is not empty.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})")
_IN_WORDS = re.compile(r"(\d{1,2})[ \-]+([A-Za-z]{3,9})\.?[ \-]+(\d{4})")
_ISO_WITH_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}.*")
_SERIAL = re.compile(r"\d{5}")
_MONTHS = ("jan", "feb", "mar", "apr", "mei", "jun", "jul", "agu", "sep", "okt", "nov", "des")
_MONTHS_EN = {"may": 5, "aug": 8, "agt": 8, "oct": 10, "dec": 12}
# Day 1 of Excel is 1 January 1900, and it believes in a 29 February 1900: from 1 March 1900 on this is day 0.
_EXCEL_ZERO = date(1899, 12, 30)

_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
_DOTTED = re.compile(r"\d{1,3}(\.\d{3})+(,0{1,2})?")
_COMMAED = re.compile(r"\d{1,3}(,\d{3})+(\.0{1,2})?")
_PLAIN = re.compile(r"(\d+)([.,]0{1,2})?")
_MILLIONS = re.compile(r"(\d+)(?:[.,](\d))?(juta|jt)")

_VILLAGE = re.compile(r"(\d{2}\.\d{2}\.\d{2}\.\d{4})(?!\d)")
_YES = {"ya": True, "y": True, "yes": True, "setuju": True, "tidak": False, "tdk": False, "no": False, "n": False}

_SEXES = {
    "l": "M",
    "m": "M",
    "lk": "M",
    "laki": "M",
    "lakilaki": "M",
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
    "relation": {
        "suami": "spouse",
        "istri": "spouse",
        "isteri": "spouse",
        "pasangan": "spouse",
        "anak": "child",
        "orang tua": "parent",
        "ayah": "parent",
        "ibu": "parent",
        "saudara": "sibling",
        "kakak": "sibling",
        "adik": "sibling",
    },
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
    """A NIK without the marks that spreadsheets put around text and numbers."""
    bare = cell.lstrip("'’`").strip()
    return bare.removesuffix(".0") if len(bare) == 18 else bare


def is_scientific(cell: str) -> bool:
    """Whether a spreadsheet has turned a long number into 6.40E+15: its last digits are lost for ever."""
    return _SCIENTIFIC.fullmatch(cell) is not None


def village(cell: str) -> str:
    """A village code, also out of a drop-down's `64.08.04.2001 Swarga Bara`."""
    found = _VILLAGE.match(cell)
    return found[1] if found else cell


def yes(cell: str) -> bool | str:
    """Yes or no, from Ya/Tidak, yes/no."""
    return _YES.get(cell.lower().rstrip("."), cell)


@lru_cache(maxsize=65_536)
def day(cell: str) -> str:
    """A date as YYYY-MM-DD, from ISO, DD/MM/YYYY, 1 Juli 1985 or an Excel day number."""
    if _ISO.fullmatch(cell):
        return cell
    if found := _DAY_FIRST.fullmatch(cell):
        return _iso(found[3], found[2], found[1]) or cell
    if found := _YEAR_FIRST.fullmatch(cell):
        return _iso(found[1], found[2], found[3]) or cell
    if found := _ISO_WITH_TIME.fullmatch(cell):
        return found[1]
    if found := _IN_WORDS.fullmatch(cell):
        return _iso(found[3], str(_month(found[2])), found[1]) or cell
    if _SERIAL.fullmatch(cell):
        return (_EXCEL_ZERO + timedelta(days=int(cell))).isoformat()
    return cell


@lru_cache(maxsize=8_192)
def amount(cell: str) -> int | str:
    """Whole rupiah, from 1.000.000, 1000000, Rp 1.000.000 or 1,5 juta."""
    bare = cell.lower().replace("\u00a0", "").replace(" ", "").removeprefix("rp").removeprefix("idr").lstrip(".:")
    bare = bare.removesuffix(",-").removesuffix(".-").removesuffix("/bulan")
    if _DOTTED.fullmatch(bare):
        return int(bare.split(",")[0].replace(".", ""))
    if _COMMAED.fullmatch(bare):
        return int(bare.split(".")[0].replace(",", ""))
    if found := _PLAIN.fullmatch(bare):
        return int(found[1]) if len(found[1]) <= 15 else cell
    if found := _MILLIONS.fullmatch(bare):
        return int(found[1]) * 1_000_000 + int(found[2] or 0) * 100_000
    return cell


def whole(cell: str) -> int | str:
    """A whole number."""
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= 15 else cell


def percent(cell: str) -> int | float | str:
    """A percentage: 5, 12,5 or 12.5%."""
    bare = cell.removesuffix("%").strip().replace(",", ".")
    try:
        number = float(bare)
    except ValueError:
        return cell
    if number != number or abs(number) > 1_000:
        return cell
    return int(number) if number.is_integer() else number


def sex(cell: str) -> str:
    """F or M, from L/P, Laki-laki/Perempuan, F/M."""
    return _SEXES.get(cell.lower().replace("-", "").replace(" ", "").rstrip("."), cell)


def sector(cell: str) -> str:
    """A sector of the contract, from its English or Indonesian name."""
    return _SECTORS.get(cell.lower(), cell)


def phone(cell: str) -> str:
    """A phone number with +62; a spreadsheet may have dropped its leading zero."""
    bare = re.sub(r"[\s\-.()']", "", cell)
    if not bare.removeprefix("+").isdigit() or bare.startswith("+"):
        return bare if bare.removeprefix("+").isdigit() else cell
    if bare.startswith("0"):
        return "+62" + bare[1:]
    if bare.startswith("62"):
        return "+" + bare
    return "+62" + bare if bare.startswith("8") else cell


def codes(cell: str) -> list[str]:
    """Document codes, separated by blanks, commas, semicolons or bars."""
    return [code for code in re.split(r"[\s,;|]+", cell.lower()) if code]


def word(list_name: str, cell: str) -> str:
    """A word of one of the contract's short lists, from its Indonesian name; lower case."""
    lower = " ".join(cell.lower().split())
    return _WORDS[list_name].get(lower, lower)


def relation(cell: str) -> str:
    """How an heir or claimant is related."""
    return word("relation", cell)


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


def _iso(year: str, month: str, of_month: str) -> str | None:
    try:
        return date(int(year), int(month), int(of_month)).isoformat()
    except ValueError:
        return None


def _month(name: str) -> int:
    short = name.lower()[:3]
    return _MONTHS.index(short) + 1 if short in _MONTHS else _MONTHS_EN.get(short, 0)
