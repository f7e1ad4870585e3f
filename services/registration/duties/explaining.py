"""The open findings of a regency as a list that an officer fills in and sends back (kind `explanations`). Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from services.registration.domain.duties.employments import Employment
from services.registration.domain.duties.findings import Finding, finding_id
from shared.contracts.reasons import COLUMNS_ID

# The first and the last are what comes back; the others are for the reader, and passed over then.
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
    """As Excel opens it here: `;` between the cells, marked as UTF-8; the oldest due first."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    lines = [(one.due_on, _row(employment, one)) for employment in found for one in employment.findings]
    writer.writerows(row for _, row in sorted(line for line in lines if line[1]))
    return out.getvalue().encode("utf-8-sig")


def _row(employment: Employment, one: Finding) -> tuple[str, ...]:
    if one.state != "open":
        return ()
    evidence = ", ".join(f"{_EVIDENCE.get(name, name)} {value}" for name, value in one.evidence)
    name = employment.employer_name
    # Excel would take it for a formula.
    shown = f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
    number = finding_id(employment.about, one)
    return (number, employment.employer_id, shown, KINDS.get(one.kind, one.kind), one.due_on, evidence, "")
