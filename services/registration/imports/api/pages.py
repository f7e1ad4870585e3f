"""The pages of imports: the form, and the progress of one import. Indonesian, with English beside it. The file's name
is the only personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.registration.imports.documents.records import Import, ImportStatus
from shared.contracts import topics
from shared.contracts.reasons import message
from shared.kernel.calendar import WITA
from shared.lists import RowAnswer
from shared.pages import environment
from shared.reference.areas import Areas

STATUS: Mapping[ImportStatus, tuple[str, str]] = {
    ImportStatus.RECEIVING: ("Sedang diterima", "Being received"),
    ImportStatus.WAITING: ("Menunggu giliran", "Waiting"),
    ImportStatus.RUNNING: ("Sedang diproses", "At work"),
    ImportStatus.DONE: ("Selesai", "Done"),
    ImportStatus.FAILED: ("Berkas tidak dapat dibaca", "The file cannot be read"),
    ImportStatus.EXPIRED: ("Selesai; berkas sudah dihapus", "Done; the file was deleted"),
}
KINDS: Mapping[str, str] = {
    "workers": "Pekerja baru",
    "updates": "Perubahan data pekerja",
    "withdrawals": "Pekerja yang keluar",
    "attestations": "Pengesahan pekerjaan",
    "stickers": "Pemasangan stiker",
    "roster": "Daftar pekerja perusahaan",
    "projects": "Proyek konstruksi",
    "outreach": "Pertemuan penyuluhan",
    "explanations": "Penjelasan temuan perusahaan",
}
IDENTITIES = (
    ("checking", "Sedang diperiksa", "being checked"),
    ("verified", "Cocok dengan data kependudukan", "verified"),
    ("held", "Ditahan: menunggu keputusan petugas", "held for an officer"),
    ("rejected", "Ditolak: tidak cocok atau tidak memenuhi syarat", "rejected"),
)
_ACTIVE = (ImportStatus.RECEIVING, ImportStatus.WAITING, ImportStatus.RUNNING)
_OUTSIDE_ACCEPTED = ("rejected", "held", "")

_environment = environment("services.registration.imports.api")
_environment.filters["number"] = lambda count: f"{count:,}".replace(",", ".")


def upload_page(areas: Areas, kinds: Sequence[str], imports: Sequence[Import]) -> str:
    """The form and the latest imports."""
    shown = [
        {
            "id": one.id,
            "agency": one.agency,
            "status": STATUS[one.status][0],
            "answered": one.answered,
            "received": one.received_at.astimezone(WITA).strftime("%d/%m/%Y %H.%M"),
        }
        for one in imports
    ]
    return _environment.get_template("upload.html").render(
        regencies=[(code, areas.name(code)) for code in areas.regencies()],
        agencies=[f"{one}/{name}" for one in topics.DEFAULT_REGENCIES for name in topics.DEFAULT_REGISTRATION_AGENCIES],
        kinds=[(kind, KINDS.get(kind, kind)) for kind in kinds],
        imports=shown,
    )


def import_page(one: Import, identities: Mapping[str, int]) -> str:
    """The progress of one import, and what to do next; `identities` counts its workers by status."""
    outcomes = sorted(one.outcomes.items(), key=lambda pair: -pair[1])
    reasons = sorted(one.reasons.items(), key=lambda pair: -pair[1])
    until = one.kept_until
    return _environment.get_template("import.html").render(
        id=one.id,
        name=one.name,
        refresh=one.status in _ACTIVE,
        checking=one.status is ImportStatus.DONE and bool(identities),
        status=STATUS[one.status][0],
        status_en=STATUS[one.status][1],
        error=one.error,
        rows=one.rows,
        answered=one.answered,
        accepted=sum(count for outcome, count in outcomes if outcome not in _OUTSIDE_ACCEPTED),
        held=identities.get("held", 0),
        identities=[(text, english, identities.get(status, 0)) for status, text, english in IDENTITIES],
        refused=one.outcomes.get("rejected", 0),
        unanswered=one.outcomes.get("", 0),
        outcomes=[(RowAnswer(code).message(0), RowAnswer(code).message(1), count) for code, count in outcomes],
        reasons=[(message(code, "id"), message(code, "en"), count) for code, count in reasons],
        notices=one.notices,
        has_answers=one.status is ImportStatus.DONE,
        kept_until=until.astimezone(WITA).strftime("%d/%m/%Y") if until else "",
    )


def as_json(one: Import) -> dict[str, Any]:
    """An import as JSON."""
    until = one.kept_until
    return {
        "id": one.id,
        "status": one.status.value,
        "agency": one.agency,
        "kind": one.kind,
        "bytes": one.size,
        "sha256": one.sha256,
        "rows": one.rows,
        "sent": one.sent,
        "answered": one.answered,
        "outcomes": {outcome or "unanswered": count for outcome, count in one.outcomes.items()},
        "reasons": dict(one.reasons),
        "notices": [{"message": text, "message_en": english} for text, english in one.notices],
        "error": {"message": one.error[0], "message_en": one.error[1]} if one.error else None,
        "received_at": one.received_at.astimezone(WITA).isoformat(timespec="seconds"),
        "kept_until": until.astimezone(WITA).isoformat(timespec="seconds") if until else None,
        "url": f"/v1/imports/{one.id}",
        "answers": f"/v1/imports/{one.id}/answers.csv" if one.status is ImportStatus.DONE else None,
    }
