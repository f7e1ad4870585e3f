"""The pages of the queue, for an officer who sees them for the first time: Indonesian, with English beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.registration.suspects.domain.state import PairStatus
from services.registration.workers.domain.state import WorkerStatus
from shared.lists.values import SECTORS_ID
from shared.pages import environment
from shared.reference import areas as area_files

STATUSES: Mapping[PairStatus, str] = {
    PairStatus.OPEN: "Menunggu keputusan petugas",
    PairStatus.MERGED: "Digabung: satu orang",
    PairStatus.DIFFERENT: "Dua orang yang berbeda",
    PairStatus.GONE: "Tidak mirip lagi setelah data diperbaiki",
}
REASONS: Mapping[str, str] = {
    "name-same": "nama sama",
    "name-alike": "nama mirip",
    "birth-date-same": "tanggal lahir sama",
    "birth-date-swapped": "hari dan bulan lahir tertukar",
    "birth-date-one-digit": "tanggal lahir berbeda satu angka",
    "birth-date-near": "tanggal lahir hampir sama",
    "nik-one-digit": "NIK berbeda satu angka",
    "mother-alike": "nama ibu mirip",
    "village-same": "desa sama",
    "address-same": "alamat sama",
    "family-card-same": "nomor KK sama",
    "phone-same": "telepon sama",
}
LABELS: Mapping[str, str] = {
    "nik": "NIK",
    "name": "Nama",
    "birth_date": "Tanggal lahir",
    "birth_place": "Tempat lahir",
    "sex": "Jenis kelamin",
    "mother_name": "Nama ibu",
    "phone": "Telepon",
    "address": "Alamat",
    "village": "Desa",
    "sector": "Sektor",
    "occupation": "Pekerjaan",
}
WORKERS: Mapping[WorkerStatus, str] = {
    WorkerStatus.CHECKING: "menunggu pemeriksaan identitas",
    WorkerStatus.VERIFIED: "terverifikasi",
    WorkerStatus.HELD: "ditahan",
    WorkerStatus.REJECTED: "ditolak",
    WorkerStatus.WITHDRAWN: "sudah keluar",
    WorkerStatus.MERGED: "digabung ke pekerja lain",
}
DECISIONS: Mapping[str, str] = {
    "merge": "digabung: satu orang",
    "different": "dua orang yang berbeda",
    "unmerge": "penggabungan dibatalkan",
    "reopen": "diperiksa lagi",
}
_SECTORS = {name: local for local, name in SECTORS_ID.items()}
_SEXES = {"M": "Laki-laki", "F": "Perempuan"}
_MERGES = (
    ("merge:first", "Satu orang: pertahankan yang pertama", "one person, keep the first", False),
    ("merge:second", "Satu orang: pertahankan yang kedua", "one person, keep the second", False),
    ("different", "Dua orang yang berbeda", "two persons", True),
)
CHOICES: Mapping[PairStatus, Sequence[tuple[str, str, str, bool]]] = {
    PairStatus.OPEN: _MERGES,
    PairStatus.GONE: _MERGES,
    PairStatus.MERGED: (("unmerge", "Batalkan penggabungan", "undo the merge", True),),
    PairStatus.DIFFERENT: (("reopen", "Periksa lagi", "open it again", True),),
}

_environment = environment("services.registration.suspects.api")


def _day(instant: str) -> str:
    return f"{instant[8:10]}/{instant[5:7]}/{instant[:4]}"


def queue_page(found: Mapping[str, Any], status: PairStatus, *, sent: bool) -> str:
    """The queue as a page, from the data that `GET /v1/suspects` gives to a machine."""
    rows = [
        {
            **one,
            "reasons": [REASONS.get(code, code) for code in one["reasons"]],
            "villages": [area_files.load().named(code) for code in one["villages"]],
            "found_at": _day(one["found_at"]),
        }
        for one in found["suspects"]
    ]
    return _environment.get_template("queue.html").render(
        rows=rows,
        count=found["count"],
        scanned=found["scanned"],
        status=status,
        statuses=list(STATUSES.items()),
        sent=sent,
    )


def pair_page(found: Mapping[str, Any], key: str) -> str:
    """One pair as a page. `key` names the decision that the form sends, so that sending it twice decides once."""
    status = PairStatus(found["status"])
    lines = [
        {
            "label": LABELS[name],
            "first": _shown(name, sides["first"]),
            "second": _shown(name, sides["second"]),
            "same": sides.get("same", not sides.get("differing_digits")),
        }
        for name, sides in found["fields"].items()
    ]
    for label, of in (("Status", "status"), ("Diajukan oleh", "submissions")):
        said = [_about(worker[of]) for worker in found["workers"]]
        if len(said) == 2:
            lines.append({"label": label, "first": said[0], "second": said[1], "same": said[0] == said[1]})
    return _environment.get_template("pair.html").render(
        first=found["first"],
        second=found["second"],
        score=found["score"],
        standing=STATUSES[status],
        reasons=[REASONS.get(code, code) for code in found["reasons"]],
        lines=lines,
        digits=found["fields"]["nik"]["differing_digits"],
        made=[
            {**one, "decision": DECISIONS[one["decision"]], "decided_at": _day(one["decided_at"])}
            for one in found["decisions"]
        ],
        choices=CHOICES[status],
        key=key,
    )


def _shown(name: str, value: Any) -> str:
    if value is None or value == "":
        return "—"
    if name == "sex":
        return _SEXES.get(str(value), str(value))
    if name == "birth_date":
        return _day(value)
    if name == "sector":
        return _SECTORS.get(value, str(value))
    return area_files.load().named(value) if name == "village" else str(value)


def _about(value: Any) -> str:
    if isinstance(value, str):
        return WORKERS[WorkerStatus(value)]
    return ", ".join(f"{one['agency']} ({_day(one['said_on'])})" for one in value)
