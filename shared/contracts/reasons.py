"""The closed list of reason codes, and the text of each for the clerk who must act on it.

Defines the texts, Indonesian and English. Knows no service: a service decides which reason holds. Extend it only by
adding.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from shared.contracts.field_hints import hint

Lang = Literal["id", "en"]
_FAULT_MAX = 60


class Reason(StrEnum):
    """Why something was not taken as it was sent, in the order of the contract."""

    NIK_MALFORMED = "nik-malformed"
    NIK_DATE_IMPOSSIBLE = "nik-date-impossible"
    BIRTH_DATE_MISMATCH = "birth-date-mismatch"
    SEX_MISMATCH = "sex-mismatch"
    VILLAGE_UNKNOWN = "village-unknown"
    VILLAGE_OUTSIDE = "village-outside"
    SECTOR_UNKNOWN = "sector-unknown"
    NAME_MISSING = "name-missing"
    CONSENT_MISSING = "consent-missing"
    FIELD_MISSING = "field-missing"
    FIELD_INVALID = "field-invalid"
    TOO_YOUNG = "too-young"
    TOO_OLD = "too-old"
    ALREADY_REGISTERED = "already-registered"
    REGISTERED_ELSEWHERE = "registered-elsewhere"
    NOT_REGISTERED = "not-registered"
    NOT_FOUND = "not-found"
    DECEASED = "deceased"
    DUPLICATE_IDENTITY = "duplicate-identity"
    INACTIVE_IDENTITY = "inactive-identity"
    NAME_MISMATCH = "name-mismatch"
    ATTESTATION_MISSING = "attestation-missing"
    WAGE_EARNER = "wage-earner"
    STATE_EMPLOYEE = "state-employee"
    SOURCE_UNAVAILABLE = "source-unavailable"
    BUDGET_MISSING = "budget-missing"
    BUDGET_EXHAUSTED = "budget-exhausted"
    BUDGET_BELOW_COMMITTED = "budget-below-committed"
    ALREADY_BILLED = "already-billed"
    INVOICE_UNKNOWN = "invoice-unknown"
    AMOUNT_DIFFERS = "amount-differs"
    ALREADY_PAID = "already-paid"
    NOT_COVERED = "not-covered"
    AWAITING_PREMIUM = "awaiting-premium"
    CLAIM_EXPIRED = "claim-expired"
    DOCUMENTS_MISSING = "documents-missing"
    QUALIFYING_PERIOD = "qualifying-period"
    DUPLICATE_CLAIM = "duplicate-claim"
    NOT_ELIGIBLE = "not-eligible"
    CONFLICTING_DUPLICATE = "conflicting-duplicate"
    # Added: problems of a file's row before it can be sent, and of a worker who left.
    ROW_UNREADABLE = "row-unreadable"
    ROW_RAGGED = "row-ragged"
    FORMULA_WITHOUT_VALUE = "formula-without-value"
    WITHDRAWN = "withdrawn"
    # Added: a claim above the amount that an officer must decide.
    AWAITING_OFFICER = "awaiting-officer"
    # Added: a claim that an officer rejects, and one that its agency takes back.
    OFFICER_REJECTED = "officer-rejected"
    CLAIM_WITHDRAWN = "claim-withdrawn"
    # Added: what a claim waits for, apart from its documents and premiums.
    AWAITING_EVENT = "awaiting-event"
    PAYEE_NOT_HEIR = "payee-not-heir"
    # Added: what a regency's own verification policy may ask for.
    POVERTY_DATA_MISSING = "poverty-data-missing"
    OFFICER_NOT_ALLOWED = "officer-not-allowed"
    SECOND_OFFICER_NEEDED = "second-officer-needed"
    # Added: a sticker that was never printed for this regency.
    STICKER_UNKNOWN = "sticker-unknown"
    # Added: a warning, never a refusal: another source's value takes precedence for this field
    # (`field-overruled:<field>`).
    FIELD_OVERRULED = "field-overruled"
    # Added: an explanation for a finding that does not exist or is no longer open.
    FINDING_UNKNOWN = "finding-unknown"
    # Added: warnings about a village that was written by name: the code that was taken, or a code that may be meant.
    VILLAGE_TAKEN = "village-taken"
    VILLAGE_CANDIDATE = "village-candidate"
    # Added: a verdict whose validity has ended; billing waits for a new one.
    VERIFICATION_EXPIRED = "verification-expired"
    # Added: a warning: the kecamatan that a row names is not the one of its village (the code of the village's own).
    DISTRICT_DIFFERS = "district-differs"
    # Added: why BPJS refused a participant, where no other code says it: insured there already; any other reason.
    BPJS_ACTIVE = "bpjs-active"
    BPJS_REFUSED = "bpjs-refused"
    # Added: answers of BPJS that are not taken: about somebody else's invoice, older than the answer that stands, or
    # said twice in one file and differently.
    NOT_ON_INVOICE = "not-on-invoice"
    ANSWER_SUPERSEDED = "answer-superseded"
    ANSWER_CONTRADICTING = "answer-contradicting"
    ANSWER_REPEATED = "answer-repeated"
    # Added: why a worker of an invoice is not in its file for BPJS.
    WORKER_WITHDRAWN = "worker-withdrawn"
    WORKER_MERGED = "worker-merged"


_CODES = frozenset(str(reason) for reason in Reason)

# The column names in a list file (docs/contracts.md#list-files), for messages about one field.
COLUMNS_ID: dict[str, str] = {
    "submission_id": "id_pengajuan",
    "officer": "petugas",
    "nik": "nik",
    "name": "nama",
    "birth_place": "tempat_lahir",
    "birth_date": "tanggal_lahir",
    "sex": "jenis_kelamin",
    "mother_name": "nama_ibu",
    "phone": "telepon",
    "address": "alamat",
    "family_card": "no_kk",
    "village": "desa",
    "district": "kecamatan",
    "sector": "sektor",
    "occupation": "pekerjaan",
    "monthly_income": "penghasilan",
    "heir": "ahli_waris",
    "consent": "persetujuan",
    "reason": "alasan",
    "date": "tanggal",
    "attested_on": "tanggal_pengesahan",
    "employer_id": "npp",
    "employer_name": "nama_perusahaan",
    "regency": "kabupaten",
    "workers": "pekerja",
    "started_on": "mulai_bekerja",
    "contract_ends_on": "akhir_kontrak",
    "contract_no": "no_kontrak",
    "registered_with_bpjs_on": "terdaftar_bpjs",
    "project_no": "no_proyek",
    "contractor": "kontraktor",
    "contract_value": "nilai_kontrak",
    "starts_on": "mulai",
    "ends_on": "selesai",
    "contract_date": "tanggal_kontrak",
    "changed_on": "tanggal_perubahan",
    "finding_id": "id_temuan",
    "explanation": "penjelasan",
    "agency": "dinas",
    "meeting_id": "id_pertemuan",
    "held_on": "tanggal",
    "attendees": "peserta",
    "claim_no": "no_klaim",
    "worker_id": "id_pekerja",
    "kind": "jenis_klaim",
    "event_date": "tanggal_kejadian",
    "cause": "penyebab",
    "details": "rincian",
    "outcome": "akibat",
    "loss_percent": "persen_cacat",
    "transport": "biaya_transport",
    "school_year": "tahun_ajaran",
    "documents": "dokumen",
    "claimant": "penerima",
    "sticker_no": "nomor_stiker",
    "installed_on": "tanggal_pasang",
    "by": "petugas",
    "invoice_id": "no_tagihan",
    "kpj": "no_kpj",
    "status": "status",
    "refused": "alasan",
    "answered_at": "tanggal_jawaban",
    "targets": "sasaran",
    "due_date": "jatuh_tempo",
    "paid_on": "tanggal_bayar",
    "source": "pengirim",
    "data": "data",
    "too-large": "baris ini",
}

_TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.NIK_MALFORMED: (
        "NIK harus 16 angka tanpa titik, spasi, atau tanda lain di antaranya dan tidak berakhir 0000; periksa dengan "
        "KTP dan simpan kolomnya sebagai teks.",
        "The NIK must have 16 digits, without dots, blanks or other marks between them, and not end in 0000; check it "
        "against the ID card and keep the column as text.",
    ),
    Reason.NIK_DATE_IMPOSSIBLE: (
        "Tanggal lahir di dalam NIK tidak ada di kalender; periksa angka NIK dengan KTP.",
        "The birth date inside the NIK does not exist; check the digits against the ID card.",
    ),
    Reason.BIRTH_DATE_MISMATCH: (
        "Tanggal lahir berbeda dengan data Dukcapil; perbaiki sesuai KTP lalu kirim lagi.",
        "The birth date differs from the civil registry; correct it to the ID card and send the row again.",
    ),
    Reason.SEX_MISMATCH: (
        "Jenis kelamin berbeda dengan data Dukcapil; perbaiki sesuai KTP lalu kirim lagi.",
        "The sex differs from the civil registry; correct it to the ID card and send the row again.",
    ),
    Reason.VILLAGE_UNKNOWN: (
        "Desa tidak dikenal; pakai kode Kemendagri dengan titik, misalnya 64.08.04.2001, atau nama desa dengan "
        "kecamatannya.",
        "The village is unknown; use the Kemendagri code with dots, for example 64.08.04.2001, or the name of the "
        "village with its kecamatan.",
    ),
    Reason.VILLAGE_OUTSIDE: (
        "Desa ini berada di kabupaten lain; pekerja didaftarkan oleh kabupaten tempat tinggalnya.",
        "This village lies in another regency; the regency where the worker lives must register them.",
    ),
    Reason.VILLAGE_TAKEN: (
        "Desa dikenali dari namanya; periksa kodenya.",
        "The village is known by its name; check its code.",
    ),
    Reason.VILLAGE_CANDIDATE: (
        "Ada desa lain dengan nama ini; isi kode desanya.",
        "Other villages have this name; give the code of the village.",
    ),
    Reason.DISTRICT_DIFFERS: (
        "Kecamatan berbeda dengan kecamatan desanya; desanya yang dipakai. Periksa keduanya.",
        "The kecamatan is not that of the village; the village is used. Check both.",
    ),
    Reason.SECTOR_UNKNOWN: (
        "Sektor tidak dikenal; pilih pertanian, perkebunan, perikanan, peternakan, perdagangan, transportasi, "
        "konstruksi, kerajinan, jasa, atau lainnya (dalam JSON nama Inggrisnya, misalnya fisheries).",
        "The sector is unknown; choose agriculture, plantation, fisheries, livestock, trade, transport, "
        "construction, crafts, services, or other.",
    ),
    Reason.NAME_MISSING: (
        "Nama kosong; isi nama lengkap sesuai KTP.",
        "The name is empty; fill in the full name as on the ID card.",
    ),
    Reason.CONSENT_MISSING: (
        "Persetujuan pekerja belum ada; isi tanggal pekerja menandatangani formulir persetujuan.",
        "The worker's consent is missing; fill in the date on which the worker signed the consent form.",
    ),
    Reason.FIELD_MISSING: ("Ada isian wajib yang kosong; lengkapi.", "A required field is empty; fill it in."),
    Reason.FIELD_INVALID: ("Ada isian yang tidak dapat dibaca; perbaiki.", "A field cannot be read; correct it."),
    Reason.TOO_YOUNG: (
        "Pekerja belum cukup umur (18 tahun, bila kabupaten tidak menetapkan lain); daftarkan setelah ulang tahunnya.",
        "The worker is under the lowest age (18, unless the regency sets another); register them after that birthday.",
    ),
    Reason.TOO_OLD: (
        "Pekerja melewati batas umur; program ini untuk yang belum 65 tahun (bila kabupaten tidak menetapkan lain).",
        "The worker is past the age limit; the programme is only for those under 65 (unless the regency sets another).",
    ),
    Reason.ALREADY_REGISTERED: (
        "Pekerja ini sudah terdaftar; tidak perlu dikirim lagi.",
        "This worker is already registered; nothing more is needed.",
    ),
    Reason.REGISTERED_ELSEWHERE: (
        "Pekerja ini masih terdaftar di kabupaten lain; minta kabupaten itu mengeluarkannya dahulu.",
        "This worker is still registered in another regency; ask that regency to withdraw them first.",
    ),
    Reason.NOT_REGISTERED: (
        "Pekerja ini belum terdaftar; daftarkan dahulu.",
        "This worker is not registered; register them first.",
    ),
    Reason.NOT_FOUND: (
        "NIK tidak ditemukan di data Dukcapil; periksa NIK, atau minta pekerja datang ke Disdukcapil.",
        "The civil registry does not know this NIK; check it, or ask the worker to visit the registry office.",
    ),
    Reason.DECEASED: (
        "Menurut Dukcapil orang ini sudah meninggal dunia; bila keliru, urus ke Disdukcapil.",
        "The civil registry says this person has died; if that is wrong, have it corrected at the registry office.",
    ),
    Reason.DUPLICATE_IDENTITY: (
        "Data ganda: di Disdukcapil (minta pekerja menyelesaikannya di sana), atau dengan pekerja lain di Payung "
        "(petugas kabupaten memutuskan). Data ditahan sampai selesai.",
        "A double: in the civil registry (the worker must settle it there), or with another worker in Payung (an "
        "officer of the regency decides). The row is held until then.",
    ),
    Reason.INACTIVE_IDENTITY: (
        "Data kependudukan tidak aktif; minta pekerja mengaktifkannya di Disdukcapil. Data ditahan sampai selesai.",
        "The civil record is inactive; the worker must have it reactivated. The row is held until then.",
    ),
    Reason.NAME_MISMATCH: (
        "Nama berbeda dengan data Dukcapil; tulis persis seperti di KTP lalu kirim lagi.",
        "The name differs from the civil registry; write it exactly as on the ID card and send the row again.",
    ),
    Reason.ATTESTATION_MISSING: (
        "Pekerjaan belum disahkan oleh dinas sektornya; minta dinas itu mengirim pengesahan.",
        "The sector agency has not attested the occupation yet; ask it to send an attestation.",
    ),
    Reason.WAGE_EARNER: (
        "Pekerja ini tercatat sebagai penerima upah di sebuah perusahaan, sehingga iurannya ditanggung perusahaan.",
        "This worker is on an employer's payroll, so the employer must pay the premium.",
    ),
    Reason.STATE_EMPLOYEE: (
        "Pegawai negara tidak termasuk pekerja rentan dalam program ini.",
        "State employees are not covered as vulnerable workers.",
    ),
    Reason.SOURCE_UNAVAILABLE: (
        "Data Dukcapil sedang tidak dapat diakses; pemeriksaan diulang sendiri, tidak perlu dikirim lagi.",
        "The civil registry cannot be reached; the check repeats by itself, nothing need be sent again.",
    ),
    Reason.BUDGET_MISSING: (
        "Anggaran tahun ini belum dimasukkan; masukkan anggaran JKK dan JKM dahulu.",
        "No budget is set for this year; set the JKK and JKM budget first.",
    ),
    Reason.BUDGET_EXHAUSTED: (
        "Anggaran tidak cukup; tambah anggaran untuk menagih pekerja yang tersisa.",
        "The budget does not suffice; raise it to bill the remaining workers.",
    ),
    Reason.BUDGET_BELOW_COMMITTED: (
        "Pagu baru lebih kecil daripada yang sudah ditagih; masukkan pagu yang lebih besar.",
        "The new ceiling is below what is already billed; set a higher one.",
    ),
    Reason.ALREADY_BILLED: (
        "Iuran bulan ini sudah ditagih.",
        "The premium of this month has already been billed.",
    ),
    Reason.VERIFICATION_EXPIRED: (
        "Masa berlaku verifikasi pekerja ini sudah berakhir; verifikasi lagi agar iurannya dapat ditagih.",
        "The verification of this worker is no longer valid; verify them again, so that the premium can be billed.",
    ),
    Reason.INVOICE_UNKNOWN: (
        "Nomor tagihan tidak dikenal; periksa dengan `payung invoice list`.",
        "The invoice is unknown; check it with `payung invoice list`.",
    ),
    Reason.AMOUNT_DIFFERS: (
        "Jumlah pembayaran berbeda dengan tagihan; bayar persis sebesar tagihan.",
        "The amount differs from the invoice; pay exactly what the invoice says.",
    ),
    Reason.ALREADY_PAID: ("Sudah dibayar sebelumnya.", "It has already been paid."),
    Reason.NOT_COVERED: (
        "Pekerja tidak terlindungi pada bulan kejadian, karena iuran bulan itu tidak ditagih untuknya.",
        "The worker was not covered in the month of the event: no premium was billed for it.",
    ),
    Reason.AWAITING_PREMIUM: (
        "Iuran bulan kejadian belum dibayar; klaim ditahan dan dilanjutkan sendiri setelah dibayar.",
        "The premium of that month is not paid yet; the claim is held and goes on by itself once it is.",
    ),
    Reason.CLAIM_EXPIRED: (
        "Batas waktu mengajukan klaim ini sudah lewat.",
        "The time limit for this claim has passed.",
    ),
    Reason.DOCUMENTS_MISSING: (
        "Dokumen belum lengkap; kirim dokumen yang disebutkan.",
        "Documents are missing; send those that are named.",
    ),
    Reason.QUALIFYING_PERIOD: (
        "Masa iuran belum mencukupi untuk manfaat ini.",
        "Not enough months have been paid for this benefit.",
    ),
    Reason.DUPLICATE_CLAIM: (
        "Klaim untuk kejadian ini sudah ada; satu kejadian hanya dibayar sekali.",
        "This event has already been claimed; it is paid only once.",
    ),
    Reason.NOT_ELIGIBLE: (
        "Tidak memenuhi syarat untuk manfaat ini.",
        "The conditions of this benefit are not met.",
    ),
    Reason.FINDING_UNKNOWN: (
        "Temuan ini tidak ada atau sudah selesai; periksa nomornya.",
        "This finding does not exist or is no longer open; check its number.",
    ),
    Reason.CONFLICTING_DUPLICATE: (
        "Pengajuan dengan nomor yang sama pernah dikirim dengan isi lain; kirim dengan nomor baru.",
        "The same event was sent before with other content; send it under a new id.",
    ),
    Reason.FORMULA_WITHOUT_VALUE: (
        "Baris ini berisi rumus tanpa hasil; buka berkas di Excel, simpan, lalu kirim lagi.",
        "This row holds a formula without its result; open the file in Excel, save it and send it again.",
    ),
    Reason.ROW_UNREADABLE: (
        "Baris ini tidak dapat dibaca; simpan berkas sebagai CSV UTF-8 lalu kirim lagi baris ini.",
        "This row cannot be read; save the file as CSV UTF-8 and send the row again.",
    ),
    Reason.ROW_RAGGED: (
        "Jumlah kolom baris ini tidak sama dengan judul; periksa tanda pemisah dan tanda kutip.",
        "This row has another number of columns than the header; check separators and quotes.",
    ),
    Reason.WITHDRAWN: (
        "Pekerja ini sudah dikeluarkan dari program.",
        "This worker has been withdrawn from the programme.",
    ),
    Reason.OFFICER_REJECTED: (
        "Petugas menolak klaim ini; tanyakan alasannya kepada petugas.",
        "An officer rejected this claim; ask them for the reason.",
    ),
    Reason.AWAITING_EVENT: (
        "Beasiswa menunggu klaim kematian atau cacat total pekerja ini dibayar; tanggal kejadiannya harus sama.",
        "The scholarship waits until this worker's death or total disability, of the same date, is paid.",
    ),
    Reason.PAYEE_NOT_HEIR: (
        "Penerima bukan ahli waris menurut hubungan yang ditulis; petugas klaim memeriksanya lebih dahulu.",
        "The payee is no heir by the relation that is stated; a claims officer looks at it first.",
    ),
    Reason.CLAIM_WITHDRAWN: (
        "Klaim ditarik kembali oleh dinas yang mengajukan.",
        "The agency that submitted the claim has taken it back.",
    ),
    Reason.AWAITING_OFFICER: (
        "Klaim ini menunggu keputusan petugas.",
        "This claim awaits an officer's decision.",
    ),
    Reason.POVERTY_DATA_MISSING: (
        "Pekerja tidak ada di data kemiskinan (DTSEN/DTKS) yang disyaratkan kabupaten; minta Dinsos memeriksanya.",
        "The worker is not in the poverty data (DTSEN/DTKS) that the regency asks for; have Dinsos look into it.",
    ),
    Reason.OFFICER_NOT_ALLOWED: (
        "Petugas ini tidak berwenang memutuskan menurut kebijakan verifikasi kabupaten.",
        "The regency's verification policy does not let this officer decide.",
    ),
    Reason.STICKER_UNKNOWN: (
        "Nomor stiker ini tidak pernah dicetak untuk kabupaten Anda; periksa angka dan hurufnya.",
        "This sticker number was never printed for your regency; check its letters and digits.",
    ),
    Reason.SECOND_OFFICER_NEEDED: (
        "Keputusan ini memerlukan petugas kedua; petugas yang sama tidak dapat memutuskan dua kali.",
        "This decision needs a second officer; the same officer cannot decide twice.",
    ),
    Reason.FIELD_OVERRULED: (
        "Isian berbeda dengan data sumber lain yang didahulukan; isian Anda dicatat dan perbedaannya terlihat.",
        "Another source's value takes precedence here; yours is kept and the difference shown.",
    ),
    Reason.BPJS_ACTIVE: (
        "Pekerja ini sudah menjadi peserta aktif BPJS Ketenagakerjaan; tanyakan siapa yang membayar iurannya.",
        "BPJS already insures this worker; ask who pays the premium.",
    ),
    Reason.BPJS_REFUSED: (
        "BPJS Ketenagakerjaan menolak peserta ini; alasannya ada pada berkas jawaban.",
        "BPJS refused this participant; the file of answers says why.",
    ),
    Reason.NOT_ON_INVOICE: (
        "Pekerja ini tidak ada pada tagihan ini; periksa nomor tagihan dan NIK-nya.",
        "This worker is not on this invoice; check the invoice's number and the NIK.",
    ),
    Reason.ANSWER_SUPERSEDED: (
        "Sudah ada jawaban BPJS yang lebih baru untuk peserta ini; jawaban ini hanya dicatat.",
        "There is a newer answer of BPJS about this participant; this one is only kept.",
    ),
    Reason.ANSWER_CONTRADICTING: (
        "Jawaban untuk peserta ini saling bertentangan; tanyakan BPJS mana yang benar, lalu kirim lagi.",
        "The answers about this participant contradict each other; ask BPJS which one is right and send it again.",
    ),
    Reason.ANSWER_REPEATED: (
        "Baris ini mengulang baris lain yang sama isinya; cukup satu.",
        "This row repeats another one that says the same; one is enough.",
    ),
    Reason.WORKER_WITHDRAWN: (
        "Pekerja ini sudah keluar dari program sesudah ditagih; iurannya perlu diperhitungkan dengan BPJS.",
        "This worker left the programme after the premium was billed; settle the premium with BPJS.",
    ),
    Reason.WORKER_MERGED: (
        "Pekerja ini ternyata orang yang sama dengan pekerja lain; iurannya perlu diperhitungkan dengan BPJS.",
        "This worker turned out to be another one; settle the premium with BPJS.",
    ),
}


# The fields of those reasons that have a code of their own.
_FIELDS: dict[str, str] = {
    Reason.NIK_MALFORMED: "nik",
    Reason.NIK_DATE_IMPOSSIBLE: "nik",
    Reason.VILLAGE_UNKNOWN: "village",
    Reason.VILLAGE_OUTSIDE: "village",
    Reason.SECTOR_UNKNOWN: "sector",
    Reason.NAME_MISSING: "name",
    Reason.CONSENT_MISSING: "consent",
}
# Texts for reasons that are followed by a code.
_ABOUT_A_CODE: dict[str, tuple[str, str]] = {
    Reason.VILLAGE_TAKEN: ("Desa dicatat sebagai {}.", "The village is taken as {}."),
    Reason.VILLAGE_CANDIDATE: ("Mungkin maksudnya {}.", "Perhaps {} is meant."),
    Reason.DISTRICT_DIFFERS: (
        "Kecamatan yang ditulis berbeda: desa ini berada di kecamatan {}. Desanya yang dipakai; periksa keduanya.",
        "The kecamatan differs: this village lies in {}. The village is used; check both.",
    ),
}


def row_fault(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The reason why the list reader refused a row that could not be sent; empty for any other event.

    Such a row is sent as `{"submission_id", "row_fault"}`, so that it counts in its agency's quality like all others.
    """
    said = fields.get("row_fault")
    if said is None:
        return ()
    known = isinstance(said, str) and said.partition(":")[0] in _CODES and len(said) <= _FAULT_MAX
    return (said,) if known else (f"{Reason.FIELD_INVALID}:row_fault",)


def message(code: str, lang: Lang = "id") -> str:
    """The text of a code, including `field-missing:<field>` and `field-invalid:<field>`; an unknown code is returned
    unchanged."""
    base, _, field = code.partition(":")
    column = COLUMNS_ID.get(field.split(".")[0], field) if lang == "id" else field
    if field and base == Reason.FIELD_MISSING:
        return f"Kolom {column} kosong; isi." if lang == "id" else f"The field {column} is empty; fill it in."
    if field and base == Reason.FIELD_INVALID:
        todo, todo_en = hint(field.split(".")[0])
        if lang == "id":
            return f"Isi kolom {column} tidak dapat dipakai; {todo}."
        return f"The field {column} cannot be used as it is; {todo_en}."
    if field and base in _ABOUT_A_CODE:
        return _ABOUT_A_CODE[base][0 if lang == "id" else 1].format(field)
    try:
        return _TEXTS[Reason(base)][0 if lang == "id" else 1]
    except ValueError:
        return code


def field_of(code: str) -> str:
    """The field that a reason is about; empty when it is about none."""
    base, _, name = code.partition(":")
    return name if base in (Reason.FIELD_MISSING, Reason.FIELD_INVALID) else _FIELDS.get(base, "")


def speaks_of_a_code(warning: str) -> bool:
    """Whether a warning names the code of an area that was taken or that may be meant. The clerk must see such a
    warning.
    """
    return warning.partition(":")[0] in _ABOUT_A_CODE


def messages(codes: tuple[str, ...] | list[str], lang: Lang = "id") -> str:
    """Several codes as one text, without repetitions."""
    return " ".join(dict.fromkeys(message(code, lang) for code in codes))
