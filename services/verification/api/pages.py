"""The pages of the officers' queue, in Indonesian with English beside it. Server-rendered, without a script."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import urlencode

from services.verification.api.queue import Case, Field, QueuePage
from services.verification.domain.state import CheckStatus
from shared.contracts.reasons import message
from shared.kernel.calendar import business_day, long_date, parse_date
from shared.pages import environment
from shared.reference import areas as area_files
from shared.runtime import clock

CASES_SHOWN = 50
REASONS: Mapping[str, tuple[str, str]] = {
    "name-mismatch": ("Nama mirip, tetapi belum pasti sama", "The names are alike, not surely the same"),
    "duplicate-identity": ("Data ganda di Dukcapil", "Double record in the civil registry"),
    "inactive-identity": ("Status NIK nonaktif di Dukcapil", "Inactive record in the civil registry"),
    "attestation-missing": ("Belum disahkan dinas sektornya", "Not attested by the sector agency"),
    "poverty-data-missing": ("Tidak ada di data kemiskinan", "Not in the poverty data"),
    "source-unavailable": ("Sumber data belum tersedia", "No register was available"),
}
FIELDS: Mapping[str, str] = {
    "name": "Nama",
    "birth_date": "Tanggal lahir",
    "sex": "Jenis kelamin",
    "birth_place": "Tempat lahir",
    "village": "Desa/kelurahan",
}
SEXES = {"M": "Laki-laki", "F": "Perempuan"}
REGISTERED: Mapping[str, str] = {
    "alive": "hidup",
    "deceased": "meninggal",
    "double": "data ganda",
    "inactive": "nonaktif",
    "not-found": "tidak ditemukan",
    "malformed": "NIK tidak sesuai format",
}
STATUSES: Mapping[CheckStatus, str] = {
    CheckStatus.HELD: "Menunggu keputusan petugas",
    CheckStatus.VERIFIED: "Terverifikasi",
    CheckStatus.REJECTED: "Ditolak",
    CheckStatus.PENDING: "Menunggu jawaban Dukcapil",
    CheckStatus.ENDED: "Berakhir",
}
ROSTERS = {"wage-earner": "tercatat sebagai pekerja penerima upah", "state-employee": "tercatat sebagai ASN/TNI/Polri"}

_environment = environment("services.verification.api")


def day(text: str | None) -> str:
    """A date in the Indonesian form; any other text unchanged."""
    found = parse_date(text)
    return long_date(found) if found is not None else text or ""


def _reason(code: str) -> tuple[str, str]:
    return REASONS.get(code, (message(code, "id"), message(code, "en")))


def list_page(found: QueuePage, regency: str | None, reason: str | None, sent: str | None) -> str:
    """The queue, the oldest case first."""
    today = business_day(clock.now())
    rows = [
        {
            "worker_id": worker_id,
            "village": area_files.load().named(one.asked.village),
            "reasons": [_reason(code)[0] for code in one.reasons],
            "score": one.score if "name-mismatch" in one.reasons else None,
            "since": day(one.checked_on),
            "days": (today - date.fromisoformat(one.checked_on)).days,
            "second": one.proposal is not None,
        }
        for worker_id, one in found.cases
    ]
    asked = {name: value for name, value in (("regency", regency), ("reason", reason)) if value}
    return _environment.get_template("queue.html").render(
        rows=rows,
        total=found.total,
        next=f"?{urlencode({**asked, 'after': found.next})}" if found.next else None,
        regency=regency or "",
        reason=reason or "",
        regencies=[(code, area_files.load().name(code)) for code in area_files.load().regencies()],
        reasons=[(code, text) for code, (text, _) in REASONS.items()],
        sent=sent,
    )


def case_page(case: Case) -> str:
    """One case with the evidence side by side, and the form that decides it."""
    one = case.identity
    return _environment.get_template("case.html").render(
        worker_id=case.worker_id,
        nik=case.nik,
        key=clock.new_id(),
        status=STATUSES[one.status],
        held=one.status is CheckStatus.HELD,
        suspected=one.known.suspected,
        since=day(one.checked_on),
        reasons=[_reason(code) for code in one.reasons],
        lines=[_line(case, field) for field in case.fields],
        register="salinan data kependudukan" if case.register.startswith("snapshot:") else "Dukcapil",
        version=case.register.partition(":")[2],
        found=REGISTERED[one.found.register] if one.found else "",
        attestations=[(word.agency, word.occupation, day(word.attested_on)) for word in one.asked.attestations],
        rosters=[ROSTERS[job] for job in one.listed.rosters],
        poverty=case.poverty,
        policy=case.policy,
        needs_two=case.needs_two,
        proposal=one.proposal,
        proposed_on=day(one.proposal.ruling.decided_on) if one.proposal else "",
        ruling=one.ruling,
        ruled_on=day(one.ruling.decided_on) if one.ruling else "",
    )


def _line(case: Case, field: Field) -> dict[str, str]:
    form, register = _shown(field.name, field.form), _shown(field.name, field.register)
    agrees = field.agrees
    if agrees is None and form and register:
        agrees = form.casefold() == register.casefold()
    said = {True: "sesuai", False: "berbeda", None: ""}[agrees]
    if field.score is not None:
        said = f"kemiripan {field.score} dari 100 (lulus mulai {case.policy.name_pass_from})"
    return {
        "label": FIELDS[field.name],
        "form": form or "tidak diisi",
        "register": register or ("tidak ditampilkan sumber" if agrees is None else ""),
        "said": said,
        "mark": "same" if agrees else "other" if agrees is False else "",
    }


def _shown(name: str, value: str | None) -> str:
    if value is None or not value:
        return ""
    if name == "birth_date":
        return day(value)
    return SEXES.get(value, value) if name == "sex" else area_files.load().named(value) if name == "village" else value
