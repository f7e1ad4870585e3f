"""The words for figures and names: Indonesian first, English second. Pure."""

from __future__ import annotations

from typing import Literal

from services.reporting.domain import rules
from services.reporting.domain.suppression import Hidden
from shared.contracts import reasons
from shared.kernel.calendar import MONTHS_ID, WITA
from shared.kernel.money import rupiah

Lang = Literal["id", "en"]

_MONTHS = {
    "id": MONTHS_ID,
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
}  # fmt: skip

_NAMES: dict[str, tuple[str, str]] = {
    "agriculture": ("Pertanian", "Agriculture"),
    "plantation": ("Perkebunan", "Plantation"),
    "fisheries": ("Perikanan", "Fisheries"),
    "livestock": ("Peternakan", "Livestock"),
    "trade": ("Perdagangan", "Trade"),
    "transport": ("Transportasi", "Transport"),
    "construction": ("Konstruksi", "Construction"),
    "crafts": ("Kerajinan", "Crafts"),
    "services": ("Jasa", "Services"),
    "other": ("Lainnya", "Other"),
    "F": ("Perempuan", "Women"),
    "M": ("Laki-laki", "Men"),
    rules.YOUNGER: ("di bawah 18 tahun", "under 18"),
    rules.OLDER_AGES: ("65 tahun ke atas", "65 and over"),
    rules.UNKNOWN: ("tidak diketahui", "unknown"),
    **{band: (f"{band.replace('-', '–')} tahun", f"{band.replace('-', '–')}") for band in rules.AGES},
    "apbd-regency": ("APBD kabupaten", "Regency budget (APBD)"),
    "apbd-province": ("APBD provinsi", "Province budget (APBD)"),
    "self": ("Mandiri", "Self-paid"),
    "csr": ("CSR", "CSR"),
    "jkk": ("Kecelakaan kerja (JKK)", "Work accident (JKK)"),
    "jkm": ("Kematian (JKM)", "Death (JKM)"),
    "scholarship": ("Beasiswa", "Scholarship"),
    "agenda": ("Agenda", "Agenda"),
    "penetapan": ("Penetapan", "Assessment"),
    "persetujuan": ("Persetujuan", "Approval"),
    "pembayaran": ("Pembayaran", "Payment"),
    "selesai": ("Selesai", "Done"),
    "registered": ("terdaftar", "registered"),
    "already-registered": ("sudah terdaftar", "already registered"),
    "attested": ("dikuatkan", "attested"),
    "updated": ("diperbarui", "updated"),
    "withdrawn": ("dikeluarkan", "withdrawn"),
    "accepted": ("diterima", "accepted"),
    "rejected": ("ditolak", "rejected"),
}


def number(value: int) -> str:
    """A whole number in the Indonesian form, 1.234.567; a hidden count as its text."""
    if isinstance(value, Hidden):
        return value.text
    return f"{value:,}".replace(",", ".")


def percent(value: float | None) -> str:
    """A percentage with one decimal and a comma, 61,3%; a dash for None."""
    return "–" if value is None else f"{value:.1f}%".replace(".", ",")


def money(value: int) -> str:
    """Rupiah in full: Rp16.800."""
    return rupiah(value)


def money_short(value: int) -> str:
    """Rupiah for headlines: shortened from a million up (Rp2,4 miliar), in full below."""
    for unit, name in ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta")):
        if abs(value) >= unit:
            return f"Rp{value / unit:,.1f} {name}".translate(str.maketrans(",.", ".,"))
    return rupiah(value)


def month(period: str | None, lang: Lang) -> str:
    """A period in words: Maret 2026."""
    return "–" if period is None else f"{_MONTHS[lang][int(period[5:]) - 1]} {period[:4]}"


def moment(as_of: str | None, lang: Lang) -> str:
    """An instant (RFC 3339 in WITA) in words: 5 Maret 2026 pukul 12.00.00 WITA."""
    if as_of is None:
        return "–"
    day = f"{int(as_of[8:10])} {month(as_of[:7], lang)}"
    time = as_of[11:19].replace(":", ".") if lang == "id" else as_of[11:19]
    return f"{day} {'pukul' if lang == 'id' else 'at'} {time} {WITA.tzname(None)}"


def name(code: str, lang: Lang) -> str:
    """The words for a code of sectors, kinds, stages, outcomes or funders; an unknown code is returned unchanged."""
    found = _NAMES.get(code)
    return code if found is None else found[0 if lang == "id" else 1]


def reason(code: str, lang: Lang) -> str:
    """The message of a reason code."""
    return reasons.message(code, lang)
