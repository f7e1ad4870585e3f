"""Asks Dukcapil about one person over HTTP, in the shape that public clients document (rules.md 8a).

The credentials travel in the body, so neither the body nor an error that could hold it is ever logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx

from services.verification.domain.state import Identity
from services.verification.facts import Reference
from services.verification.settings import Settings
from shared.contracts.registration import IdentityCheckRequested
from shared.contracts.verification_work import DukcapilAnswered, RegisterStatus
from shared.kernel.decision import Due
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Answer, Workplace

PATH = "/dukcapil/get_json/verify_by_elemen"
THRESHOLD = "90"
CONNECTIONS_MAX = 32
_CODES: dict[str, RegisterStatus] = {
    "11": "deceased",
    "12": "double",
    "13": "not-found",
    "14": "inactive",
    "15": "malformed",
}
_MATCHED = ("NAMA_LGKP", "TGL_LHR", "JENIS_KLMIN")
_SEXES = {"M": "Laki-Laki", "F": "Perempuan"}
_SCORE = re.compile(r"\(\s*(\d{1,3})(?:[.,]\d+)?\s*\)")


@lru_cache(maxsize=1)
def _client(timeout_s: float) -> httpx.AsyncClient:
    """One pool of connections a process; the environment's proxies are for the web, not for a government network."""
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    return httpx.AsyncClient(timeout=timeout_s, limits=limits, trust_env=False)


async def ask(worker_id: str, state: Any, due: Due, place: Workplace) -> Answer:
    """Performs one saved check; Unavailable keeps it due."""
    if not isinstance(state, Identity):
        raise Unavailable("the check is not there yet")
    reference: Reference = place.reference
    asked = state.asked
    body = await _post(reference.settings, asked, due.id)
    data = read(body, worker_id, asked)
    return Answer("dukcapil.answered.v1", worker_id, data)


async def _post(settings: Settings, asked: IdentityCheckRequested, call: str) -> Any:
    year, month, day = asked.birth_date.split("-")
    question = {
        "NIK": asked.nik,
        "NAMA_LGKP": asked.name,
        "TMPT_LHR": asked.birth_place or "",
        "TGL_LHR": f"{day}-{month}-{year}",
        "JENIS_KLMIN": _SEXES[asked.sex],
        "TRESHOLD": THRESHOLD,
        "USER_ID": settings.user,
        "PASSWORD": settings.password,
        "IP_USER": settings.address,
    }
    try:
        answer = await _client(settings.timeout_s).post(
            settings.url + PATH, json=question, headers={"Idempotency-Key": call}
        )
    except httpx.HTTPError as error:
        # `from None`: the original carries the request, and with it the credentials.
        raise Unavailable(f"Dukcapil: {type(error).__name__}") from None
    if answer.status_code != 200:
        raise Unavailable(f"Dukcapil: HTTP {answer.status_code}")
    try:
        return answer.json()
    except ValueError:
        raise Unavailable("Dukcapil: the answer is no JSON") from None


def read(body: Any, worker_id: str, asked: IdentityCheckRequested) -> DukcapilAnswered:
    """Dukcapil's answer as a fact; an answer of another shape, or an empty quota, is Unavailable."""
    content = body.get("content") if isinstance(body, Mapping) else None
    entry = content[0] if isinstance(content, list) and content and isinstance(content[0], Mapping) else None
    if entry is None:
        raise Unavailable("Dukcapil: the answer has no content")
    if _is_about_another(entry.get("NIK"), asked.nik):
        raise Unavailable("Dukcapil: the answer is about another NIK")
    code = str(entry.get("RESPONSE_CODE", "")).strip()
    if code in _CODES:
        return DukcapilAnswered(
            worker_id=worker_id, registration_version=asked.registration_version, status=_CODES[code]
        )
    if not all(isinstance(entry.get(field), str) for field in _MATCHED):
        raise Unavailable("Dukcapil: the quota is used up, or the answer is of another shape")
    return DukcapilAnswered(
        worker_id=worker_id,
        registration_version=asked.registration_version,
        status="alive",
        score=score_of(entry["NAMA_LGKP"]),
        birth_date_matches=score_of(entry["TGL_LHR"]) > 0,
        sex_matches=score_of(entry["JENIS_KLMIN"]) > 0,
    )


def _is_about_another(echoed: Any, nik: str) -> bool:
    """Some services echo the NIK instead of "Sesuai"; a mixed-up answer would judge one worker by another's data."""
    text = str(echoed).strip()
    return len(text) == 16 and text.isdigit() and text != nik


def score_of(said: str) -> int:
    """ "Sesuai" is 100, "Sesuai (n)" is n whatever the word says, "Tidak Sesuai" is 0."""
    text = said.strip()
    stated = _SCORE.search(text)
    if stated is not None:
        return min(100, int(stated[1]))
    return 100 if text.lower() == "sesuai" else 0


PERFORMERS = {"dukcapil": ask}
