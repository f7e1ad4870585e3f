"""Findings and projects over HTTP, as an officer works through them. They hold no personal data.

Only callers of the regency may read them: a finding names a worker_id, and an employer who had no opportunity to answer
yet. Lists come in pages: when there is more, `next` is the `after` of the next page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from services.registration.compliance.api import explaining
from services.registration.compliance.domain.findings import finding_id, issued
from shared.runtime.http.auth import Guard
from shared.runtime.ports import Reader, Where
from shared.runtime.service_context import ServiceContext

_Regency = Annotated[str, Query(pattern=r"^\d{2}\.\d{2}$")]
_Limit = Annotated[int, Query(ge=1, le=1_000)]
_After = Annotated[str, Query(max_length=300, description="The `next` of the page before")]

# A list is for a spreadsheet; nobody works through more open findings than this by hand.
LISTED_MAX = 20_000


def routes(context: ServiceContext) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1", tags=["registration"])
    guard = Guard(context.environ)

    @router.get("/findings")
    async def findings(
        request: Request,
        regency: _Regency,
        state: Literal["open", "all"] = "open",
        limit: _Limit = 200,
        after: _After = "",
    ) -> dict[str, Any]:
        """Duties not kept: the open ones, or all of them including late projects. Each page starts with the oldest due
        date.

        `limit` counts employments and projects, each with all its findings.
        """
        await guard.reader(request, regency)
        wheres: dict[str, dict[str, Any]] = {"employments": {"state.open": {"$gt": 0}}}
        if state == "all":
            # A project's findings are never open: a late report has arrived, so its finding is cured.
            wheres = {"employments": {"state.open": {"$gte": 0}}, "projects": {}}
        found, more = await _page(context.reader, wheres, regency, after, limit)
        rows = [
            {
                "finding_id": finding_id(owner.about, one),
                **issued(owner.about, one).data.model_dump(),
                # Callers who may see findings also see the employer's name and the full evidence.
                "employer_name": owner.about.employer_name,
                "evidence": dict(one.evidence),
            }
            for owner in found
            for one in owner.findings
            if state == "all" or one.state == "open"
        ]
        return {"rows": sorted(rows, key=lambda row: (row["due_on"], row["finding_id"])), "next": more}

    @router.get("/findings.csv")
    async def to_explain(request: Request, regency: _Regency) -> Response:
        """The open findings as a list to fill in; with `penjelasan` written it is sent back as kind `explanations`."""
        await guard.reader(request, regency)
        where: dict[str, Any] = {"state.regency": regency, "state.open": {"$gt": 0}}
        found = await context.reader.find("employments", where, order=("_id",), limit=LISTED_MAX)
        return Response(
            explaining.csv_list([one for _, one in found]),
            media_type="text/csv; charset=utf-8",
            headers={
                "content-disposition": f'attachment; filename="temuan-{regency}.csv"',
                "cache-control": "no-store",
            },
        )

    @router.get("/projects")
    async def projects(request: Request, regency: _Regency, limit: _Limit = 200, after: _After = "") -> dict[str, Any]:
        """Construction projects of a regency and whether they were registered in time."""
        await guard.reader(request, regency)
        found, more = await _page(context.reader, {"projects": {}}, regency, after, limit)
        return {
            "next": more,
            "rows": [
                {
                    "project_no": one.project_no,
                    "contractor": one.terms.contractor,
                    "contract_value": one.terms.contract_value,
                    "starts_on": one.terms.starts_on,
                    "ends_on": one.terms.ends_on,
                    "village": one.terms.village,
                    "due_on": one.due_on,
                    "late": one.late,
                }
                for one in found
            ],
        }

    return router


async def _page(
    reader: Reader, wheres: Mapping[str, Where], regency: str, after: str, limit: int
) -> tuple[list[Any], str | None]:
    """Up to `limit` documents, one collection after the other, and where the next page begins."""
    names = list(wheres)
    at, _, last = after.partition(":")
    found: list[tuple[str, Any]] = []
    for name in names[names.index(at) if at in names else 0 :]:
        where = {**wheres[name], "state.regency": regency, **({"_id": {"$gt": last}} if name == at else {})}
        # One row more than wanted shows whether there is another page.
        rows = await reader.find(name, where, order=("_id",), limit=limit + 1 - len(found))
        found.extend((f"{name}:{one}", state) for one, state in rows)
        if len(found) > limit:
            return [state for _, state in found[:limit]], found[limit - 1][0]
    return [state for _, state in found], None
