"""The open findings of a regency as a list that an officer fills in and sends back (kind `explanations`). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.compliance.domain.findings import finding_id
from services.registration.compliance.domain.state import Employment, Finding
from shared.contracts.reasons import COLUMNS_ID
from shared.files.separated import for_excel

# Only the first and the last column are read when the list comes back; the others inform the officer.
HEADER = ("id_temuan", "npp", "nama_perusahaan", "temuan", "batas_waktu", "bukti", "penjelasan")
KINDS: Mapping[str, str] = {
    "registered-late": "Pekerja belum didaftarkan pada hari pertama bekerja",
    "contract-chain": "Kontrak pendek berturut-turut tanpa pendaftaran",
    "subsidised-worker": "Pekerja yang iurannya ditanggung APBD ada di daftar upah",
}
_EVIDENCE: Mapping[str, str] = {
    **COLUMNS_ID,
    "contracts": "jumlah_kontrak",
    "first_started_on": "mulai_pertama",
    "last_ends_on": "akhir_terakhir",
    "registered_on": "terdaftar",
    "days_late": "hari_terlambat",
}


def csv_list(found: Sequence[Employment]) -> bytes:
    """The list as CSV for Excel, the oldest due date first."""
    lines = [(one.due_on, _row(employment, one)) for employment in found for one in employment.findings]
    return for_excel((HEADER, *(row for _, row in sorted(line for line in lines if line[1]))))


def _row(employment: Employment, one: Finding) -> tuple[str, ...]:
    if one.state != "open":
        return ()
    evidence = ", ".join(f"{_EVIDENCE.get(name, name)} {value}" for name, value in one.evidence)
    number, name = finding_id(employment.about, one), employment.employer_name
    return (number, employment.employer_id, name, KINDS.get(one.kind, one.kind), one.due_on, evidence, "")
