"""The columns of each kind of list: their names in English and Indonesian, and their place in the event's data.

Understands headers: which columns exist, which are missing, which were probably meant. Knows no file format.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from shared.contracts.reasons import COLUMNS_ID
from shared.lists import sexes, values
from shared.lists.errors import HeaderError, ListError
from shared.lists.qualifiers import is_other_meaning

# `Tidak Setuju` with a tick below it: the columns of a yes and of a no cannot be told apart safely.
_ASKS_FOR_A_NO = re.compile(
    r"(?:.*_)?(?:tidak|tdk|belum|menolak|keberatan)_(?:.*_)?(?:setuju|bersedia|menyetujui|persetujuan)(?:_.*)?"
    r"|(?:setuju|bersedia|persetujuan)_(?:tidak|tdk|belum)"
)
_YES = ("consent", "given")

ListKind = Literal[
    "workers",
    "attestations",
    "updates",
    "withdrawals",
    "roster",
    "projects",
    "outreach",
    "stickers",
    "explanations",
    "claims",
    "participants",
]
# Answers of BPJS: `payung invoice answers` sends them, because no agency does.
OF_BPJS: frozenset[ListKind] = frozenset({"participants"})

# The columns that `payung publish --wait` adds to a list. A file that ends with exactly these is an answers file.
ANSWER_COLUMNS = ("outcome", "reasons", "message", "message_en", "worker_id")

# So many columns named twice are a second table; fewer may be those of another person in the same row.
_SIDE_BY_SIDE_MIN = 3
_IN_BRACKETS = re.compile(r"\(([^)]*)\)")
_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")
# Lists ask for the worker's yes in many words: `Bersedia Ikut`, `Setuju Didaftarkan?`, `Pernyataan Kesediaan`. A No
# below such a heading must not be overlooked.
_ASKS_FOR_A_YES = re.compile(
    r"(?!(?:tanggal|tgl|cara|no|nomor|nama|petugas|bukti|berkas|foto|file|dokumen|lampiran|link|tempat|alasan|hari)_)"
    r"(?:.*_)?(?:setuju|bersedia|kesediaan|menyetujui|persetujuan|consent|agrees?|agreed|willing)(?:_.*)?"
)
_OTHER_QUESTION = re.compile(
    r"(?:.*_)?(?:atasan|camat|lurah|kepala|kades|dinas|bupati|kadis|desa|rt|rw|suami|istri|keluarga|waris|orang_tua"
    r"|tidak|tdk|belum|menolak|keberatan)"
    r"(?:_.*)?"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `path` in the event's data, and its names; the first is the contract's.

    When several headings of a file name this column, a heading among those `preferred` takes precedence. `free_text`:
    nothing is decided by the value, so a row with two different ones is not refused."""

    path: tuple[str, ...]
    names: tuple[str, ...]
    convert: Callable[[str], Any]
    required: bool = False
    preferred: frozenset[str] = frozenset()
    free_text: bool = False

    @property
    def name(self) -> str:
        """The name in the contract."""
        return self.names[0]

    @property
    def field(self) -> str:
        """The field that reasons name: the whole heir or consent; for a roster's line, the line's own field."""
        if self.path[0] in ("heir", "consent"):
            return self.path[0]
        return self.path[-1] if self.path[0] == "workers" else ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a kind of list, and the type of the events it becomes."""

    type: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """A header after matching: for each cell the column it fills (None: not used), the unknown headings, and the cells
    that name a column again (`again`; with exactly the same heading also in `repeated`)."""

    columns: tuple[Column | None, ...]
    unknown: tuple[str, ...]
    again: Mapping[int, Column] = field(default_factory=dict)
    repeated: frozenset[int] = frozenset()


def _column(path: str, names: str, convert: Callable[[str], Any] = values.text, *, required: bool = False) -> Column:
    """`names` are separated by blanks. Those before a bar take precedence over the more general ones behind it."""
    preferred, _, general = names.partition("|")
    found = (*preferred.split(), *general.split())
    return Column(tuple(path.split(".")), found, convert, required, frozenset(preferred.split() if general else ()))


_SUBMISSION = _column("submission_id", "submission_id id_pengajuan no_pengajuan nomor_pengajuan")
_NIK = _column("nik", "nik no_nik nomor_nik no_ktp nomor_ktp nomor_induk_kependudukan", values.nik, required=True)
_NIK_OPTIONAL = _column("nik", " ".join(_NIK.names), values.nik)
_NAME = _column("name", "name nama nama_lengkap nama_pekerja nama_peserta nama_sesuai_ktp full_name")
# Columns with the place before the day: `Sangatta, 01-07-1985`.
PLACE_AND_DAY = frozenset(
    {"ttl", "tempat_tanggal_lahir", "tempat_tgl_lahir", "tempat_dan_tanggal_lahir", "tempat_dan_tgl_lahir"}
)
_BIRTH_DATE = _column(
    "birth_date",
    " ".join(("birth_date tanggal_lahir tgl_lahir date_of_birth", *sorted(PLACE_AND_DAY))),
    values.day,
)
_SEX = _column("sex", "sex jenis_kelamin kelamin jk l_p lp gender", values.sex)
_CODES_OF_VILLAGES = "kode_desa village_code kode_desa_kelurahan kode_kelurahan kode_wilayah_desa"
_VILLAGE = replace(
    _column(
        "village",
        f"village desa desa_kelurahan desa_kel kelurahan nama_desa nama_kelurahan {_CODES_OF_VILLAGES}",
        values.village,
    ),
    preferred=frozenset(_CODES_OF_VILLAGES.split()),
)
# Distinguishes villages of the same name. Lists have many kinds of district codes, so the name takes precedence.
_DISTRICT = replace(_column("district", "district kecamatan kec nama_kecamatan | kode_kecamatan"), free_text=True)
_SECTOR = _column("sector", "sector sektor sektor_pekerjaan", values.sector)
_OCCUPATION = replace(_column("occupation", "occupation pekerjaan jenis_pekerjaan"), free_text=True)
_CONSENT = _column(
    "consent.given_at",
    "consent persetujuan tanggal_persetujuan tgl_persetujuan tanggal_setuju tgl_setuju consent_date consent_given_at",
    values.day,
)
_OPTIONAL_OF_WORKERS = (
    _DISTRICT,
    replace(_column("birth_place", "birth_place tempat_lahir"), free_text=True),
    _column("mother_name", "mother_name nama_ibu nama_ibu_kandung ibu_kandung"),
    _column("phone", "phone telepon no_hp hp nomor_hp no_telepon nomor_telepon telp no_telp no_wa", values.phone),
    replace(_column("address", "address alamat"), free_text=True),
    _column("family_card", "family_card no_kk nomor_kk no_kartu_keluarga", values.without_text_mark),
    _column(
        "monthly_income",
        "monthly_income penghasilan penghasilan_bulanan penghasilan_per_bulan pendapatan income",
        values.income,
    ),
    _column("heir.name", "heir ahli_waris nama_ahli_waris heir_name"),
    _column("heir.relation", "heir_relation hubungan_ahli_waris | hubungan", values.relation),
    _column(
        "heir.phone",
        "heir_phone telepon_ahli_waris hp_ahli_waris no_hp_ahli_waris nomor_hp_ahli_waris no_telepon_ahli_waris",
        values.phone,
    ),
    _column("consent.method", "consent_method cara_persetujuan"),
    # Given in addition to the date: after a No there is no consent, whatever the date is. The service tells Yes from
    # No.
    _column("consent.given", "setuju consent_given bersedia"),
)
_DESCRIBES_WORKER = (_NAME, _BIRTH_DATE, _SEX, _VILLAGE, _SECTOR, _OCCUPATION, _CONSENT)


def _required(*columns: Column) -> tuple[Column, ...]:
    return tuple(replace(column, required=True) for column in columns)


def _child(index: int) -> tuple[Column, ...]:
    at, en, local = f"details.children.{index}", f"child{index + 1}", f"anak{index + 1}"
    return (
        _column(f"{at}.name", f"{en}_name {local}_nama nama_anak{index + 1}"),
        _column(f"{at}.birth_date", f"{en}_birth_date {local}_tanggal_lahir", values.day),
        _column(f"{at}.level", f"{en}_level {local}_jenjang", values.school_level),
        _column(f"{at}.school_year", f"{en}_school_year {local}_tahun_ajaran"),
    )


_CLAIM = (
    _column("claim_no", "claim_no no_klaim nomor_klaim", required=True),
    _NIK_OPTIONAL,
    _column("worker_id", "worker_id id_pekerja"),
    _column("kind", "kind jenis_klaim | jenis", values.claim_kind, required=True),
    _column("event_date", "event_date tanggal_kejadian tgl_kejadian", values.day, required=True),
    _column("cause", "cause penyebab", values.cause),
    _column("details.outcome", "outcome akibat details_outcome", values.injury_outcome),
    _column("details.days_off_work", "days_off_work hari_tidak_bekerja details_days_off_work", values.whole),
    _column("details.loss_percent", "loss_percent persen_cacat details_loss_percent", values.percent),
    _column("details.transport.land", "transport_land transport_darat details_transport_land", values.amount),
    _column("details.transport.sea", "transport_sea transport_laut details_transport_sea", values.amount),
    _column("details.transport.air", "transport_air transport_udara details_transport_air", values.amount),
    _column("details.treatment_cost", "treatment_cost biaya_perawatan details_treatment_cost", values.amount),
    _column("documents", "documents dokumen", values.codes),
    _column("claimant.name", "claimant_name nama_penerima | claimant penerima"),
    _column("claimant.relation", "claimant_relation hubungan_penerima", values.relation),
    _column("claimant.account", "claimant_account rekening_penerima rekening", values.without_text_mark),
    *_child(0),
    *_child(1),
)

LAYOUTS: dict[ListKind, Layout] = {
    "workers": Layout("worker.register.v1", (_SUBMISSION, _NIK, *_required(*_DESCRIBES_WORKER), *_OPTIONAL_OF_WORKERS)),
    "updates": Layout("worker.update.v1", (_SUBMISSION, _NIK, *_DESCRIBES_WORKER, *_OPTIONAL_OF_WORKERS)),
    "withdrawals": Layout(
        "worker.withdraw.v1",
        (
            _SUBMISSION,
            _NIK,
            _column("reason", "reason alasan", values.leaving_reason, required=True),
            _column("date", "date tanggal_keluar | tanggal", values.day, required=True),
        ),
    ),
    "attestations": Layout(
        "worker.attest.v1",
        (
            _SUBMISSION,
            _NIK,
            *_required(_SECTOR, _OCCUPATION),
            _column("attested_on", "attested_on tanggal_pengesahan | tanggal", values.day, required=True),
        ),
    ),
    "roster": Layout(
        "employer.report-workers.v1",
        (
            _SUBMISSION,
            _column("employer_id", "employer_id npp", required=True),
            _column("employer_name", "employer_name nama_perusahaan perusahaan", required=True),
            _column("regency", "regency kabupaten kode_kabupaten"),
            Column(("workers", "0", "nik"), _NIK.names, values.nik, required=True),
            _column("workers.0.started_on", "started_on mulai_bekerja", values.day, required=True),
            _column("workers.0.contract_ends_on", "contract_ends_on akhir_kontrak", values.day),
            _column("workers.0.contract_no", "contract_no no_kontrak"),
            _column("workers.0.registered_with_bpjs_on", "registered_with_bpjs_on terdaftar_bpjs", values.day),
        ),
    ),
    "projects": Layout(
        "project.register.v1",
        (
            _SUBMISSION,
            _column("project_no", "project_no no_proyek nomor_proyek", required=True),
            _column("contractor", "contractor kontraktor", required=True),
            _column("contract_value", "contract_value nilai_kontrak", values.amount, required=True),
            _column("starts_on", "starts_on mulai", values.day, required=True),
            _column("ends_on", "ends_on selesai", values.day, required=True),
            *_required(_VILLAGE),
            _DISTRICT,
            # The deadlines count from these dates: 14 working days from the contract, 7 from a change.
            _column("contract_date", "contract_date tanggal_kontrak tgl_kontrak", values.day),
            _column("changed_on", "changed_on tanggal_perubahan tgl_perubahan", values.day),
        ),
    ),
    "outreach": Layout(
        "outreach.report.v1",
        (
            _SUBMISSION,
            _column("meeting_id", "meeting_id id_pertemuan", required=True),
            _column("held_on", "held_on | tanggal", values.day, required=True),
            *_required(_VILLAGE, _SECTOR),
            _DISTRICT,
            _column("attendees", "attendees peserta jumlah_peserta", values.whole, required=True),
            _column("agency", "agency dinas"),
        ),
    ),
    "stickers": Layout(
        "sticker.install.v1",
        (
            _SUBMISSION,
            _column("sticker_no", "sticker_no no_stiker nomor_stiker", required=True),
            _column("installed_on", "installed_on tanggal_pasang | tanggal", values.day, required=True),
            _column("by", "by petugas", required=True),
        ),
    ),
    "explanations": Layout(
        "finding.explain.v1",
        (
            _SUBMISSION,
            _column("finding_id", "finding_id id_temuan nomor_temuan | temuan", required=True),
            _column("explanation", "explanation penjelasan", required=True),
        ),
    ),
    "claims": Layout("claim.submit.v1", _CLAIM),
    "participants": Layout(
        "participant.answer.v1",
        (
            _NIK,
            _column(
                "kpj",
                "kpj no_kpj nomor_kpj nomor_peserta nomor_kartu no_kartu_peserta nomor_kartu_peserta | no_kartu",
                values.card_number,
            ),
            _column("status", "status status_pendaftaran hasil"),
            replace(
                _column("refused", "refused alasan alasan_penolakan alasan_tolak alasan_ditolak | keterangan catatan"),
                free_text=True,
            ),
            _column("invoice_id", "invoice_id no_tagihan nomor_tagihan"),
            _column("answered_at", "answered_at tanggal_jawaban tgl_jawaban", values.day),
        ),
    ),
}
SENT_BY_AGENCIES: tuple[ListKind, ...] = tuple(kind for kind in LAYOUTS if kind not in OF_BPJS)


def takes_submission_id(layout: Layout) -> bool:
    """Whether rows of this kind are answered by submission id; a row without one then uses its row number."""
    return any(column.path == ("submission_id",) for column in layout.columns)


def plain(header: str) -> str:
    """A heading in the form used for comparison: lower case, words joined by `_`, without bracketed parts. A part that
    names another person or another unit stays: `NIK (Kepala Keluarga)` is not the worker's NIK."""
    bare = values.bare(header).lower()
    if "(" in bare and not bare.startswith("hubungan"):
        bare = _IN_BRACKETS.sub(lambda found: f" {found[1]} " if is_other_meaning(found[1]) else "", bare)
    else:
        bare = _IN_BRACKETS.sub("", bare)
    return _BETWEEN_WORDS.sub("_", bare).strip("_")


def without_answers(header: Sequence[str]) -> int:
    """How many columns of a header belong to the list itself: an answers file has five more."""
    own = len(header) - len(ANSWER_COLUMNS)
    return own if own > 0 and tuple(plain(name) for name in header[own:]) == ANSWER_COLUMNS else len(header)


def known_names(header: Sequence[str], layout: Layout) -> int:
    """How many of these cells are column names: this tells a header from a title above it."""
    return len(set(_plain_names(header, layout)) & _by_name(layout).keys())


def is_complete(header: Sequence[str], layout: Layout) -> bool:
    """Whether these cells name every required column."""
    named = {column.path for column in paths_of(header, layout) if column is not None}
    return all(column.path in named for column in layout.columns if column.required)


def paths_of(header: Sequence[str], layout: Layout) -> list[Column | None]:
    """The column that each cell names; None for a cell that names none."""
    return [_named(name, layout) for name in _plain_names(header, layout)]


def sex_columns(header: Sequence[str], layout: Layout) -> tuple[int, int] | None:
    """The places of the columns `L` and `P` in a list that has no other column for the sex."""
    if all(column.path != _SEX.path for column in layout.columns):
        return None
    names = [plain(cell) for cell in header]
    return None if any(name in _SEX.names for name in names) else sexes.places_of(names)


def _plain_names(header: Sequence[str], layout: Layout) -> list[str]:
    names = [plain(cell) for cell in header]
    found = sex_columns(header, layout)
    if found is not None:
        # The sex is read from both columns together, in the place of the first.
        names[found[0]], names[found[1]] = _SEX.names[0], ""
    return names


def _named(name: str, layout: Layout) -> Column | None:
    found = _by_name(layout).get(name)
    if found is None and _ASKS_FOR_A_YES.fullmatch(name) and not _OTHER_QUESTION.fullmatch(name):
        return next((column for column in layout.columns if column.path == _YES), None)
    return found


@cache
def _by_name(layout: Layout) -> dict[str, Column]:
    return {name: column for column in layout.columns for name in column.names}


def match(header: Sequence[str], layout: Layout) -> Matched:
    """Matches a header to the columns; raises HeaderError when a required column is missing."""
    by_name = _by_name(layout)
    taken: dict[tuple[str, ...], set[str]] = {}
    columns: list[Column | None] = []
    unknown: list[str] = []
    again: dict[int, Column] = {}
    repeated: set[int] = set()
    for index, (cell, name) in enumerate(zip(header, _plain_names(header, layout), strict=True)):
        column = _named(name, layout)
        if column is None and name and cell.strip():
            unknown.append(cell.strip())
        if column is not None and column.path in taken:
            again[index] = column
            repeated |= {index} if name in taken[column.path] else set()
            taken[column.path].add(name)
            column = None
        if column is not None:
            taken[column.path] = {name}
        columns.append(column)
    missing = tuple(column for column in layout.columns if column.required and column.path not in taken)
    if missing:
        raise _header_error(missing, tuple(unknown), by_name)
    refusals = [cell for cell in unknown if _ASKS_FOR_A_NO.fullmatch(plain(cell))]
    if refusals and _YES in {column.path for column in layout.columns}:
        name = refusals[0]
        raise ListError(
            f"Kolom {name} tidak dapat dibaca dengan pasti; pakai satu kolom Setuju dengan isi Ya atau Tidak, lalu "
            "kirim lagi.",
            f"The column {name} cannot be read safely; use one column Setuju with Ya or Tidak and send it again.",
        )
    twice = {again[index].path for index in repeated}
    if len(twice) >= _SIDE_BY_SIDE_MIN and all(column.path in twice for column in layout.columns if column.required):
        # The rows of the second table would be passed over.
        raise ListError(
            "Berkas memuat dua tabel yang bersebelahan; susun keduanya ke bawah dengan satu judul, lalu kirim lagi.",
            "The file has two tables side by side; put one below the other under one heading and send it again.",
        )
    return Matched(tuple(columns), tuple(unknown), again, frozenset(repeated))


def nearest(header: str, layout: Layout) -> str | None:
    """The column name that an unknown heading probably means."""
    names = [name for column in layout.columns for name in column.names]
    found = difflib.get_close_matches(plain(header), names, n=1, cutoff=0.75)
    return found[0] if found else None


def _header_error(missing: tuple[Column, ...], unknown: tuple[str, ...], by_name: dict[str, Column]) -> HeaderError:
    hints = {cell: difflib.get_close_matches(plain(cell), list(by_name), n=1, cutoff=0.6) for cell in unknown}
    parts_id = ["Kolom wajib tidak ada: " + ", ".join(f"{COLUMNS_ID.get(c.name, c.name)} ({c.name})" for c in missing)]
    parts_en = ["Required columns are missing: " + ", ".join(column.name for column in missing)]
    if unknown:
        parts_id.append(
            "Kolom tidak dikenal: " + ", ".join(f"{c} (maksudnya {h[0]}?)" if h else c for c, h in hints.items())
        )
        parts_en.append(
            "Unknown columns: " + ", ".join(f"{c} (did you mean {h[0]}?)" if h else c for c, h in hints.items())
        )
    return HeaderError(tuple(c.name for c in missing), unknown, ". ".join(parts_id) + ".", ". ".join(parts_en) + ".")
