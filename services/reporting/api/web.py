"""HTTP of reporting: the dashboard, the reports in three formats, and the live stream. No figures are computed here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.reporting.api import board as boards
from services.reporting.api import exports
from services.reporting.api.board import Board
from services.reporting.api.dashboard import Dashboard
from services.reporting.api.veil import Veil, sees_all
from services.reporting.domain import coverage
from services.reporting.domain.wording import Lang
from services.reporting.facts import Filters
from shared.kernel.calendar import is_period
from shared.runtime import clock
from shared.runtime.http.auth import Guard
from shared.runtime.service_context import ServiceContext

FORMATS = ("json", "csv", "xlsx")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNCACHED = {"cache-control": "no-store"}


def routes(context: ServiceContext) -> APIRouter:
    """The dashboard, one route per report, and the stream."""
    router = APIRouter(tags=["reports"])
    board = Board(context)
    seen = VisibleFigures(board, context.environ)

    @router.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page(request: Request) -> Response:
        ask = _filters(board, request)
        lang: Lang = "en" if request.query_params.get("lang") == "en" else "id"
        nonce = clock.new_id()
        html = await Dashboard(await seen.by(request, ask.regency)).render(ask, lang, nonce)
        return HTMLResponse(html, headers={**UNCACHED, "content-security-policy": _policy(nonce)})

    for kind in boards.KINDS:
        router.add_api_route(f"/v1/{kind}", _report_route(board, seen, kind), methods=["GET"], name=kind)

    @router.get("/v1/stream")
    async def stream(request: Request, regency: str | None = None, period: str | None = None) -> Response:
        """Server-sent events: a `snapshot` with the totals of coverage whenever they changed, at most one a second."""
        ask = _filters(board, request)
        shown = await seen.by(request, ask.regency)
        # No await between this check and the count, so that no other reader can take the place in between.
        if board.streams >= board.reference.settings.streams_max:
            raise HTTPException(503, "too many readers follow the live figures; ask again later")
        return _Stream(board, ask, shown)

    return router


class _Stream(StreamingResponse):
    """The live figures for one reader. The reader is counted as soon as it is admitted: otherwise readers that arrive
    at the same time would each see a free place.
    """

    def __init__(self, board: Board, ask: Filters, shown: Board | Veil) -> None:
        super().__init__(follow(board, ask, shown), media_type="text/event-stream", headers=UNCACHED)
        self._board = board
        board.streams += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs until the reader disconnects, however that is noticed."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._board.streams -= 1


class VisibleFigures:
    """Chooses the figures for a caller: all with a role or when log-ins are off, else sums with small cells hidden."""

    def __init__(self, board: Board, environ: Mapping[str, str]) -> None:
        self._board, self._veil = board, Veil(board)
        self._guard = Guard(environ)

    async def by(self, request: Request, regency: str | None) -> Board | Veil:
        """The board for the sender of this request."""
        return self._board if sees_all(await self._guard.optional_caller(request), regency) else self._veil


def _report_route(board: Board, seen: VisibleFigures, kind: str) -> Any:
    async def answer(
        request: Request,
        regency: str | None = None,
        by: str | None = None,
        period: str | None = None,
        format: str = "json",  # noqa: A002  # the name in the contract
        excel: bool = False,
    ) -> Response:
        ask = _filters(board, request)
        if format not in FORMATS:
            raise _problem("format", f"is one of {', '.join(FORMATS)}")
        counted = await (await seen.by(request, ask.regency)).counted(kind, ask)
        report = counted.report
        if format == "json":
            body = orjson.dumps(exports.as_data(counted))
            return Response(body, media_type="application/json", headers=UNCACHED)
        name = "-".join(["payung", kind, *(part for part in (ask.regency, report.filters.get("period")) if part)])
        headers = {**UNCACHED, "content-disposition": f'attachment; filename="{name}.{format}"'}
        if format == "csv":
            body = exports.as_csv(report, excel=excel)
            return Response(body, media_type="text/csv; charset=utf-8", headers=headers)
        return Response(exports.as_xlsx(counted, kind), media_type=XLSX, headers=headers)

    answer.__doc__ = f"The {kind} report as JSON, CSV (`excel=true`: as Excel in Indonesia opens it) or XLSX."
    return answer


def _filters(board: Board, request: Request) -> Filters:
    """The checked filters of a request. An empty value counts as absent, because forms send empty fields."""
    query = request.query_params
    regency, period, by = (query.get(name) or None for name in ("regency", "period", "by"))
    if regency is not None and not board.reference.areas.is_regency(regency):
        raise _problem("regency", "is no regency that is known here; codes look like 64.08")
    if period is not None and not is_period(period):
        raise _problem("period", "is a month, YYYY-MM")
    grouping = next((one for one in coverage.BYS if one == (by or "district")), None)
    if grouping is None:
        raise _problem("by", f"is one of {', '.join(coverage.BYS)}")
    return Filters(regency, grouping, period)


def _problem(parameter: str, detail: str) -> HTTPException:
    return HTTPException(400, {"errors": [{"parameter": parameter, "detail": f"{parameter} {detail}"}]})


def _policy(nonce: str) -> str:
    """The content security policy: nothing from other hosts, no script but our own."""
    return (
        "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; script-src 'nonce-{nonce}'"
    )


async def follow(board: Board, ask: Filters, shown: Board | Veil) -> AsyncIterator[bytes]:
    """Server-sent events until the reader disconnects."""
    settings = board.reference.settings
    sent: dict[str, Any] | None = None
    quiet_since_s = clock.monotonic()
    # A first byte at once, so that the browser knows that the connection is open.
    yield b"retry: 3000\n\n"
    while True:
        counted = await shown.counted("coverage", ask)
        told = exports.as_data(counted)
        figures = {name: told[name] for name in ("filters", "totals", "as_of")}
        if figures != sent:
            sent, quiet_since_s = figures, clock.monotonic()
            data = orjson.dumps({**figures, "behind": counted.behind})
            yield b"event: snapshot\ndata: " + data + b"\n\n"
        elif clock.monotonic() - quiet_since_s > settings.heartbeat_s:
            quiet_since_s = clock.monotonic()
            # An event and not a comment, because the page must see that the service is there.
            yield b"event: still\ndata: {}\n\n"
        await asyncio.sleep(settings.look_s)
