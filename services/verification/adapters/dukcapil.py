"""Asks Dukcapil about one person over HTTP, in the format that public clients document, and reports back the use of
data.

The credentials travel in the body, so neither the body nor an error that could contain it is ever logged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import cycle
from typing import Any

import httpx

from services.verification.adapters.gate import gate_of
from services.verification.domain import rules
from services.verification.domain.state import Identity
from services.verification.facts import sources
from services.verification.settings import Settings
from shared.contracts.registration import IdentityCheckRequested
from shared.contracts.verification_work import DukcapilAnswered, GivenBack, RegisterStatus
from shared.kernel.decision import Due
from shared.runtime.errors import Unavailable
from shared.runtime.spec import Workplace, WorkResult

PATH = "/dukcapil/get_json/verify_by_elemen"
THRESHOLD = "90"
CLIENTS = 16
GIVE_BACK_PATH = "/dukcapil/data_balikan"
# The purpose for which the data was used, in the words of the institution's agreement.
GIVE_BACK_PARAM = "VERIFIKASI PESERTA BPU"
REPEATED = "sudah pernah dikirim"
NO_QUOTA = "kuota"
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
def _clients(timeout_s: float) -> Iterator[httpx.AsyncClient]:
    # The environment's proxies are for the web, not for a government network, so they are ignored. The runner limits
    # the number of calls.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    # One TLS context for all clients: each context reads every certificate of the machine, which takes a tenth of a
    # second.
    tls = httpx.create_ssl_context(trust_env=False)
    return cycle(
        [httpx.AsyncClient(timeout=timeout_s, limits=limits, verify=tls, trust_env=False) for _ in range(CLIENTS)]
    )


def _client(timeout_s: float) -> httpx.AsyncClient:
    """The next client for each call: a pool checks all its connections at every call, and a big pool spends most of a
    call's time on that.
    """
    return next(_clients(timeout_s))


async def ask(worker_id: str, state: Any, due: Due, place: Workplace) -> WorkResult:
    """Performs one saved check. Unavailable leaves it due."""
    if not isinstance(state, Identity):
        raise Unavailable("the check is not there yet")
    settings: Settings = place.reference.settings
    gate = gate_of(settings)
    asked = state.asked

    async def call() -> DukcapilAnswered:
        body = await _post(settings, PATH, _question(settings, asked), due.id)
        try:
            answer = read(body, worker_id, asked)
        except QuotaUsedUp:
            raise gate.quota.exhausted() from None
        gate.quota.note_remaining(body.get("quotaLimiter"))
        return answer

    return WorkResult("dukcapil.answered.v1", worker_id, await gate.call(due.id, call, place.reader))


async def ask_or_look_up(worker_id: str, state: Any, due: Due, place: Workplace) -> WorkResult:
    """Like `ask`, but while Dukcapil cannot be asked the regency's snapshot answers, by the policy's order of
    registers.

    A worker who is not in the snapshot continues to wait for Dukcapil.
    """
    try:
        return await ask(worker_id, state, due, place)
    except Unavailable as trouble:
        answer = await _stand_in(worker_id, state, place)
        if answer is None:
            # Raised as Unavailable and not as Paused, because other waiting workers may be in the snapshot.
            raise Unavailable(str(trouble)) from None
        return WorkResult("dukcapil.answered.v1", worker_id, answer)


async def _stand_in(worker_id: str, state: Any, place: Workplace) -> DukcapilAnswered | None:
    if not isinstance(state, Identity):
        return None
    asked, reference = state.asked, place.reference
    key = (asked.regency, worker_id)
    loads = await sources.loads(place.reader, [asked.regency])
    row = (await sources.look_up(place.reader, sources.POPULATION, [key], loads)).get(key)
    if row is None:
        return None
    finding = rules.compare(sources.person(row, reference.cipher), asked)
    return DukcapilAnswered(
        worker_id=worker_id,
        registration_version=asked.registration_version,
        status=finding.status,
        score=int(finding.score or 0),
        birth_date_matches=finding.birth_date_matches,
        sex_matches=finding.sex_matches,
        resident=finding.resident,
        evidence=finding.evidence,
    )


async def give_back(worker_id: str, state: Any, due: Due, place: Workplace) -> WorkResult:
    """Tells Dukcapil how its data was used ("data balikan"). "Already sent" counts as success."""
    if not isinstance(state, Identity):
        raise Unavailable("the identity is not there yet")
    settings: Settings = place.reference.settings
    told = {
        "id_lembaga": settings.institution,
        "nama_lembaga": settings.institution_name,
        "data": [{"NIK": state.asked.nik, "param": GIVE_BACK_PARAM}],
    }
    await gate_of(settings).call(
        due.id, lambda: _post(settings, GIVE_BACK_PATH, told, due.id, repeat_is_fine=True), place.reader, counted=False
    )
    done = GivenBack(worker_id=worker_id, registration_version=state.asked.registration_version)
    return WorkResult("dukcapil.given-back.v1", worker_id, done)


def _question(settings: Settings, asked: IdentityCheckRequested) -> dict[str, str]:
    year, month, day = asked.birth_date.split("-")
    province, regency = asked.regency.split(".")
    return {
        "NIK": asked.nik,
        "NAMA_LGKP": asked.name,
        "TMPT_LHR": asked.birth_place or "",
        "TGL_LHR": f"{day}-{month}-{year}",
        "JENIS_KLMIN": _SEXES[asked.sex],
        "NO_PROP": province,
        "NO_KAB": regency,
        "TRESHOLD": THRESHOLD,
        "USER_ID": settings.user,
        "PASSWORD": settings.password,
        "IP_USER": settings.address,
    }


async def _post(
    settings: Settings, path: str, body: dict[str, Any], call: str, *, repeat_is_fine: bool = False
) -> dict[str, Any]:
    try:
        answer = await _client(settings.timeout_s).post(
            settings.url + path, json=body, headers={"Idempotency-Key": call}
        )
    except httpx.HTTPError as error:
        # `from None`: the original error holds the request, and with it the credentials.
        raise Unavailable(f"Dukcapil: {type(error).__name__}") from None
    try:
        said = answer.json()
    except ValueError:
        said = None
    if repeat_is_fine and answer.status_code == 400 and isinstance(said, dict) and REPEATED in str(said.get("message")):
        return said
    if answer.status_code != 200:
        raise Unavailable(f"Dukcapil: HTTP {answer.status_code}")
    if not isinstance(said, dict):
        raise Unavailable("Dukcapil: the answer is no JSON object")
    return said


class QuotaUsedUp(Unavailable):
    """Dukcapil says that the day's quota is used up."""


def read(body: Any, worker_id: str, asked: IdentityCheckRequested) -> DukcapilAnswered:
    """Dukcapil's answer as a fact. Raises Unavailable for an answer of another shape, QuotaUsedUp for an empty
    quota.
    """
    content = body.get("content") if isinstance(body, Mapping) else None
    entry = content[0] if isinstance(content, list) and content and isinstance(content[0], Mapping) else None
    if entry is None and isinstance(body, Mapping) and body.get("quotaLimiter") == 0:
        raise QuotaUsedUp("Dukcapil: the quota is used up")
    if entry is None:
        raise Unavailable("Dukcapil: the answer has no content")
    if _is_about_another(entry.get("NIK"), asked.nik):
        raise Unavailable("Dukcapil: the answer is about another NIK")
    code = str(entry.get("RESPONSE_CODE", "")).strip()
    if code not in _CODES and NO_QUOTA in str(entry.get("RESPON", "")).lower():
        raise QuotaUsedUp("Dukcapil: the quota is used up")
    if code in _CODES:
        return DukcapilAnswered(
            worker_id=worker_id, registration_version=asked.registration_version, status=_CODES[code]
        )
    if not all(isinstance(entry.get(field), str) for field in _MATCHED):
        raise Unavailable("Dukcapil: the answer is of another shape")
    return DukcapilAnswered(
        worker_id=worker_id,
        registration_version=asked.registration_version,
        status="alive",
        score=score_of(entry["NAMA_LGKP"]),
        birth_date_matches=score_of(entry["TGL_LHR"]) > 0,
        sex_matches=score_of(entry["JENIS_KLMIN"]) > 0,
        resident=_resident(entry),
    )


def _resident(entry: Mapping[str, Any]) -> bool | None:
    """Whether the register places the person in the regency; None when the answer does not say."""
    province, regency = entry.get("NO_PROP"), entry.get("NO_KAB")
    if not isinstance(province, str) or not isinstance(regency, str):
        return None
    return score_of(province) > 0 and score_of(regency) > 0


def _is_about_another(echoed: Any, nik: str) -> bool:
    """Whether the answer echoes another NIK. Some services echo it instead of "Sesuai"; a mixed-up answer would judge
    one worker by another's data.
    """
    text = str(echoed).strip()
    return len(text) == 16 and text.isdigit() and text != nik


def score_of(said: str) -> int:
    """ "Sesuai" is 100, "Sesuai (n)" is n whatever the word says, "Tidak Sesuai" is 0."""
    text = said.strip()
    stated = _SCORE.search(text)
    if stated is not None:
        return min(100, int(stated[1]))
    return 100 if text.lower() == "sesuai" else 0


PERFORMERS = {"dukcapil": ask, "dukcapil-else": ask_or_look_up, "give-back": give_back}
