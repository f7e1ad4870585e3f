"""What-if over HTTP: `GET /v1/budgets/what-if` counts; `POST` also takes an edited table of rates, and saves a
scenario.

Nothing else changes. Callers of the regency only, as for the plan of a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args

from fastapi import APIRouter, HTTPException, Query, Request

from services.billing.api import whatif_view
from services.billing.plans import whatif
from services.billing.plans.whatif import Question, Refused
from shared.contracts import envelope
from shared.contracts.base import Funding
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day
from shared.runtime import clock
from shared.runtime.http import bodies
from shared.runtime.http.auth import Guard

PATH = "/budgets/what-if"
# An edited table of rates is some kilobytes.
BODY_BYTES_MAX = 1_000_000
COMPARED_MAX = 10
_TEXTS = ("regency", "year", "funding", "from", "cut", "jkk", "jkm", "workers", "rates", "save")
_PROPERTIES: dict[str, Any] = {
    **{name: {"type": ["string", "integer", "null"]} for name in _TEXTS},
    "compare": {"type": "array", "items": {"type": "string"}, "maxItems": COMPARED_MAX},
}
_REQUEST = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": _PROPERTIES, "required": ["regency", "year"]},
        }
    },
}


def add(router: APIRouter, guard: Guard, context: Any) -> None:
    """Adds the endpoints to billing's router."""
    # A count takes seconds of a processor that bills at the same time: one after the other.
    turn = asyncio.Lock()

    @router.get(PATH)
    async def what_if(
        request: Request,
        regency: str = "",
        year: str = "",
        funding: str = "apbd-regency",
        first: Annotated[str, Query(alias="from")] = "",
        cut: str = "",
        jkk: str = "",
        jkm: str = "",
        workers: str = "",
        compare: Annotated[list[str] | None, Query()] = None,
    ) -> dict[str, Any]:
        """The rest of a year under another budget or number of workers; changes nothing. 422 with the reasons."""
        given = {"regency": regency, "year": year, "funding": funding, "from": first, "cut": cut}
        given |= {"jkk": jkk, "jkm": jkm, "workers": workers}
        return await _answered(request, given, compare or [])

    @router.post(PATH, openapi_extra={"requestBody": _REQUEST})
    async def what_if_saved(request: Request) -> dict[str, Any]:
        """The same over a JSON object; also with `rates` (an edited table as text) and `save` (a scenario's name)."""
        await guard.caller(request)
        given, compare = _asked(bodies.parsed(await bodies.read(request, BODY_BYTES_MAX, "question")))
        return await _answered(request, given, compare)

    @router.get(PATH + "/scenarios")
    async def scenarios(request: Request, regency: str = "") -> dict[str, Any]:
        """The saved scenarios of a regency."""
        await guard.reader(request, regency)
        return {"scenarios": await whatif.listed(context.reader, regency)}

    async def _answered(request: Request, given: Mapping[str, str], compare: Sequence[str]) -> dict[str, Any]:
        await guard.reader(request, given.get("regency", ""))
        try:
            async with turn:
                return await _answer(context, given, compare)
        except Refused as error:
            detail = {"title": error.title, "status": error.status, "reasons": list(error.reasons)}
            raise HTTPException(error.status, detail) from error


async def _answer(context: Any, given: Mapping[str, str], compare: Sequence[str]) -> dict[str, Any]:
    today = business_day(clock.now())
    question = _question(context, given, today.year)
    if len(compare) > COMPARED_MAX:
        raise Refused(
            f"Paling banyak {COMPARED_MAX} skenario dibandingkan sekaligus", f"{Reason.FIELD_INVALID}:compare"
        )
    name = given.get("save", "")
    if name:
        await whatif.check_name(context.reader, question.regency, name)
    compared = await whatif.saved(context.reader, question.regency, compare)
    answer = await whatif.answer(context.reader, question, today)
    head = {
        "regency": question.regency,
        "year": question.year,
        "funding": question.funding,
        "as_of": envelope.rfc3339(clock.now()),
    }
    areas = context.reference.areas
    scenario = {
        "name": name or None,
        "inputs": whatif_view.inputs_of(question, answer),
        "figures": whatif_view.figures_of(answer.then, areas),
    }
    if name:
        await whatif.save(context.reader, {**head, **scenario})
    return {
        **head,
        "from": answer.months[0],
        "workers": answer.workers,
        "now": whatif_view.figures_of(answer.now, areas),
        "scenario": scenario,
        "compared": compared,
    }


def _question(context: Any, given: Mapping[str, str], this_year: int) -> Question:
    regency, year = given.get("regency", ""), given.get("year", "")
    if not context.reference.areas.is_regency(regency):
        raise Refused("Kabupaten tidak dikenal; pakai kode Kemendagri bertitik, misalnya 64.08", _invalid("regency"))
    if not (len(year) == 4 and year.isascii() and year.isdigit()) or int(year) < this_year:
        raise Refused(f"Tahun anggaran harus {this_year} atau sesudahnya", _invalid("year"))
    funding = next((one for one in get_args(Funding) if one == given.get("funding", "")), None)
    if funding is None:
        raise Refused(f"Sumber dana: {', '.join(get_args(Funding))}", _invalid("funding"))
    return Question(
        regency=regency,
        year=int(year),
        funding=funding,
        first=given.get("from", ""),
        **{name: given.get(name, "") for name in ("cut", "jkk", "jkm", "workers", "rates")},
    )


def _asked(body: Any) -> tuple[dict[str, str], list[str]]:
    """The fields of a POST as texts. Raises HTTPException 422 for anything else."""
    if not isinstance(body, dict):
        raise HTTPException(422, {"title": "Isi permintaan harus objek JSON", "reasons": [_invalid("body")]})
    given = {"funding": "apbd-regency"}
    for name, value in body.items():
        if value is None or name == "compare":
            continue
        if name not in _TEXTS or isinstance(value, bool) or not isinstance(value, str | int):
            raise HTTPException(422, {"title": "Isian tidak dikenal atau bukan teks", "reasons": [_invalid(name[:40])]})
        given[name] = str(value)
    compare = body.get("compare") or []
    if not isinstance(compare, list) or not all(isinstance(one, str) for one in compare):
        raise HTTPException(422, {"title": "compare adalah daftar nama skenario", "reasons": [_invalid("compare")]})
    return given, compare


def _invalid(name: str) -> str:
    return f"{Reason.FIELD_INVALID}:{name}"
