"""Workers over HTTP: one worker on any day, with the present values and every source; the NIK masked, no name."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, Protocol

from fastapi import APIRouter, HTTPException, Request

from services.registration.workers.domain import history, sources
from services.registration.workers.domain.state import Change, FormerValue, Worker, WorkerStatus
from shared.contracts.envelope import rfc3339
from shared.kernel.calendar import WITA, parse_date
from shared.kernel.identity import masked
from shared.reference.precedence import Precedence
from shared.runtime.http.auth import OPERATOR, REGISTRATION_OFFICER, Guard
from shared.runtime.ports import Reader
from shared.runtime.service_context import ServiceContext

# The other fields are personal: the page shows which agencies agree on them and which do not, but no values.
_OPEN = ("sex", "village", "sector", "occupation", "monthly_income")


# A worker's invoices and BPJS's answers. They are another feature's, so the service passes them in. `revealed`: with
# what is personal.
class Invoices(Protocol):
    """Gives the invoices of a worker."""

    async def __call__(self, reader: Reader, worker_id: str, *, revealed: bool) -> list[dict[str, Any]]: ...


def routes(context: ServiceContext, invoices: Invoices) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1", tags=["registration"])

    guard = Guard(context.environ)

    async def known(worker_id: str, request: Request) -> Worker:
        """The worker, if the caller belongs to the same regency."""
        caller = await guard.caller(request)
        found = (await context.reader.states("workers", [worker_id])).get(worker_id)
        if not isinstance(found, Worker) or not caller.may_read(found.regency):
            raise HTTPException(404, "no such worker")
        return found

    @router.get("/workers/{worker_id}")
    async def worker(worker_id: str, request: Request, as_of: str | None = None) -> dict[str, Any]:
        """The worker's status, the source of each field, and the agencies that state another value.

        With `as_of` (YYYY-MM-DD): as known at the end of that day in WITA. No name, NIK masked. The number of the
        participant's card (KPJ) is shown to officers of the regency.
        """
        found = await known(worker_id, request)
        if as_of is None:
            caller = await guard.caller(request)
            revealed = any(caller.has_role(role, found.regency) for role in (REGISTRATION_OFFICER, OPERATOR))
            return {
                **_worker_json(worker_id, found),
                **_further_json(found),
                "fields": _fields(found, context.reference.precedence),
                "invoices": await invoices(context.reader, worker_id, revealed=revealed),
            }
        day = parse_date(as_of)
        if day is None:
            raise HTTPException(400, {"errors": [{"pointer": "/as_of", "detail": "a day is YYYY-MM-DD"}]})
        since = history.known_since(found)
        if as_of < since:
            raise HTTPException(404, f"not known before {since}")
        then, whose = history.as_of(found, datetime.combine(day + timedelta(days=1), time.min, WITA))
        heard = tuple(one for one in sources.statements(found) if one.said_on <= as_of)
        fields = _fields(replace(then, said=heard), context.reference.precedence) if heard else {}
        fields.update({name: _was(one) for name, one in whose.items() if name in sources.FIELDS})
        return {"as_of": as_of, **_worker_json(worker_id, then), "fields": fields}

    @router.get("/workers/{worker_id}/history")
    async def changes(worker_id: str, request: Request) -> dict[str, Any]:
        """What changed and when, the latest first: the earlier value and the agency that had stated it."""
        found = await known(worker_id, request)
        steps = [_step(one) for one in reversed(found.history)]
        return {"worker_id": worker_id, "opened_on": history.known_since(found), "history": steps}

    return router


def _worker_json(worker_id: str, one: Worker) -> dict[str, Any]:
    return {
        "worker_id": worker_id,
        "nik": masked(one.form.nik),
        "regency": one.regency,
        "district": one.form.district,
        "village": one.form.village,
        "sector": one.form.sector,
        "occupation": one.form.occupation,
        "status": one.status,
        "reasons": list(one.verdict.reasons) if one.verdict else [],
    }


def _further_json(one: Worker) -> dict[str, Any]:
    return {
        "registration_version": one.registration_version,
        "valid_until": (one.verdict.valid_until or None) if one.verdict else None,
        "opened_on": one.opened_on,
        "suspected_with": sorted(one.suspected),
        "merged_into": one.merged_into or None,
        "submissions": [
            {"agency": word.agency, "submission_id": word.submission_id, "said_on": word.said_on}
            | ({"via": word.via} if word.via else {})
            for word in one.words
        ],
    }


def _fields(one: Worker, precedence: Precedence) -> dict[str, Any]:
    """For each field the agency whose statement counts, the agencies that agree, and those that state another value."""
    said = sources.statements(one)
    verified = one.verdict is not None and one.verdict.identity is WorkerStatus.VERIFIED
    shown: dict[str, Any] = {}
    for name, standing in sources.origins(one, precedence).items():
        others = [other for other in said if other.field == name and other.agency != standing.agency]
        shown[name] = {
            "agency": standing.agency,
            "submission_id": standing.submission_id,
            "said_on": standing.said_on,
            "verified": verified and name in ("name", "birth_date", "sex"),
            "agree": sorted(other.agency for other in others if other.value == standing.value),
            "differ": [
                {
                    "agency": other.agency,
                    "submission_id": other.submission_id,
                    "said_on": other.said_on,
                    "refuted": other.refuted,
                    **({"value": other.value} if name in _OPEN else {}),
                }
                for other in others
                if other.value != standing.value
            ],
            **({"value": standing.value} if name in _OPEN else {}),
        }
    return shown


def _was(one: FormerValue) -> dict[str, Any]:
    evidence = {
        "agency": one.agency or None,
        "submission_id": one.submission_id or None,
        "said_on": one.said_on or None,
    }
    return {**evidence, **({"value": one.value} if one.field in _OPEN else {})}


def _step(one: Change) -> dict[str, Any]:
    plain = ("status", "reasons", "regency", "opened_on")
    return {
        "at": rfc3339(one.at),
        "before": {was.field: was.value if was.field in plain else _was(was) for was in one.was},
    }
