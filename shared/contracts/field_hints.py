"""What to write in a column whose cell could not be used: the end of a refusal's sentence, Indonesian and English.

A clerk can act on "write L or P", not on "correct it". Fields without an entry here get the plain words.
"""

from __future__ import annotations

from collections.abc import Mapping

_DAY = ("tulis tanggal yang ada, misalnya 01/07/2026", "write a date that exists, for example 01/07/2026")
_PAST = (
    "tulis tanggal yang ada dan tidak setelah hari ini, misalnya 01/07/1985 (dalam JSON 1985-07-01)",
    "write a date that exists and is not after today, for example 01/07/1985 (in JSON 1985-07-01)",
)
_TEXT = (
    "tulis ulang sebagai teks biasa, tanpa galat Excel (#N/A) dan tanpa tanda yang tidak terbaca",
    "write it again as plain text, without a spreadsheet error (#N/A) and without unreadable marks",
)
HINTS: Mapping[str, tuple[str, str]] = {
    "birth_date": _PAST,
    "consent": (
        "tulis tanggal persetujuan yang ada, tidak setelah hari ini dan tidak sebelum lahir, misalnya 04/01/2026 "
        "(dalam JSON 2026-01-04); bila ada kolom setuju, isi Ya",
        "write the date of consent, not after today and not before the birth, for example 04/01/2026 (in JSON "
        "2026-01-04); in a column for agreement write Yes",
    ),
    "attested_on": _PAST,
    "installed_on": _PAST,
    "event_date": _PAST,
    "held_on": _DAY,
    "started_on": _DAY,
    "registered_with_bpjs_on": _DAY,
    "contract_date": _DAY,
    "changed_on": _DAY,
    "starts_on": _DAY,
    "date": (
        "tulis tanggal yang ada, misalnya 01/07/2026; tanggal meninggal tidak boleh setelah hari ini",
        "write a date that exists, for example 01/07/2026; a death cannot be after today",
    ),
    "ends_on": (
        "tulis tanggal yang ada dan tidak sebelum tanggal mulai",
        "write a date that exists and is not before the start",
    ),
    "contract_ends_on": (
        "tulis tanggal yang ada dan tidak sebelum mulai bekerja; kosongkan bila kontraknya tanpa batas",
        "write a date that exists and is not before the first day; leave it empty if the contract has no end",
    ),
    "due_date": (
        "tulis tanggal di bulan tagihan atau paling lama setahun sesudahnya",
        "write a date in the month that is billed, or at most a year after it",
    ),
    "paid_on": (
        "tulis tanggal bayar yang tidak setelah hari ini dan paling lama setahun sebelum bulan tagihan",
        "write the day of payment: not after today, and at most a year before the month that is billed",
    ),
    **dict.fromkeys(("submission_id", "occupation", "birth_place", "phone", "address", "family_card"), _TEXT),
    **dict.fromkeys(
        ("name", "mother_name"),
        (
            "tulis nama saja, tanpa NIK atau nomor lain dan tanpa galat atau tanda khusus",
            "write the name alone, without a NIK or another number and without errors or special marks",
        ),
    ),
    "sex": (
        "isi L (laki-laki) atau P (perempuan); dalam JSON M atau F",
        "write L (male) or P (female); in JSON M or F",
    ),
    "reason": (
        "pilih pindah, meninggal, bekerja, permintaan, atau lainnya",
        "choose moved, deceased, employed, request, or other",
    ),
    "monthly_income": (
        "isi rupiah per bulan dengan angka, misalnya 1000000",
        "write rupiah a month in digits, for example 1000000",
    ),
    "contract_value": (
        "isi rupiah tanpa PPN dengan angka, misalnya 750000000",
        "write rupiah without VAT in digits, for example 750000000",
    ),
    "attendees": ("isi jumlah orang dengan angka", "write the number of people in digits"),
    "heir": (
        "isi nama ahli waris, tanpa nomor, bila hubungan atau teleponnya diisi",
        "write the heir's name, without a number, where the relation or telephone is given",
    ),
    "employer_id": (
        "isi NPP dengan huruf, angka, titik, atau garis saja",
        "write the NPP in letters, digits, dots, or dashes only",
    ),
    "regency": ("isi kode kabupaten pengirim, misalnya 64.08", "write the sender's regency code, for example 64.08"),
    "sticker_no": (
        "tulis seperti pada stiker, misalnya 6408-7F3KQ-9M2XA",
        "write it as on the sticker, for example 6408-7F3KQ-9M2XA",
    ),
    "invoice_id": (
        "tulis nomor tagihan seperti pada `payung invoice list`, misalnya INV-6408-2026-11-apbd-regency-1",
        "write the invoice's number as `payung invoice list` shows it, for example INV-6408-2026-11-apbd-regency-1",
    ),
    "kpj": (
        "tulis nomor kartu peserta (KPJ), 11 angka, sebagai teks; kosongkan bila peserta ditolak",
        "write the number of the card (KPJ), 11 digits, as text; leave it empty for a refused participant",
    ),
    "status": (
        "tulis berhasil atau ditolak, atau kosongkan",
        "write berhasil (accepted) or ditolak (refused), or leave it empty",
    ),
    "answered_at": (
        "tulis tanggal jawaban BPJS yang tidak setelah hari ini, misalnya 01/07/2026",
        "write the day of BPJS's answer, not after today, for example 01/07/2026",
    ),
    # For a row that exceeds the limits of every event.
    "too-large": ("isian terlalu panjang; pendekkan", "a value is too long; shorten it"),
}
_PLAIN = ("perbaiki", "correct it")


def hint(field: str) -> tuple[str, str]:
    """What to do about this field, Indonesian and English."""
    return HINTS.get(field, _PLAIN)
