"""Stickers over HTTP: a village's sheets for authorised callers, the checking page for everybody."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from services.registration.stickers.api import pages, printing
from services.registration.stickers.api.address import NoPublicUrl, PublicUrl, address_of
from services.registration.stickers.api.pages import Done, VillageStickers
from services.registration.stickers.api.scanning import StickerChecker, shipped
from services.registration.stickers.api.signing import StickerContent
from shared.files.separated import for_excel
from shared.kernel.calendar import business_day
from shared.pages import HEADERS, wants_page
from shared.reference.areas import Village
from shared.runtime import clock
from shared.runtime.http import bodies
from shared.runtime.http.auth import REGISTRATION_OFFICER, Guard
from shared.runtime.service_context import ServiceContext

_RT = re.compile(r"\d{3}")
_FORM_BYTES_MAX = 4_096
_WHERE = ("rt", "nomor_stiker", "nama", "alamat", "tanggal_pasang", "petugas")


def routes(context: ServiceContext) -> APIRouter:
    """The endpoints of stickers."""
    router = APIRouter(tags=["stickers"])
    desk = EndpointContext(context)
    _page_of_the_officer(router, desk)

    @router.post("/v1/stickers/{village}", status_code=201)
    async def issue(village: str, request: Request, rt: str | None = None) -> Response:
        """Issues the stickers of a village (`?rt=003`: of one RT) to its verified workers whose premium is paid.

        Asked again, it issues only stickers whose last day is later than before. `/v1/stickers/{village}.pdf` then has
        the sheets.
        """
        place = await desk.village(village, request, REGISTRATION_OFFICER)
        count, stand = await desk.issue(place, _rt(rt))
        body = {"village": place.code, "stickers": count, "sheets": f"/v1/stickers/{place.code}.pdf"}
        return JSONResponse(body, 201 if stand else 202)

    @router.get("/v1/stickers/{village}.pdf")
    async def sheet(village: str, request: Request, rt: str | None = None) -> Response:
        """A4 sheets of the stickers that are issued and valid today, a page for every RT (`?rt=003`: one RT).
        Changes nothing.
        """
        place = await desk.village(village, request)
        address = desk.address()
        found = await printing.issued(context, place, _rt(rt))
        if not found:
            raise HTTPException(
                404,
                "belum ada stiker yang diterbitkan di desa ini / no sticker is issued here: "
                f"POST /v1/stickers/{place.code} issues them",
            )
        stickers = printing.printed(found, place, desk.scanner.signer, address.url)
        areas, today = context.reference.areas, business_day(clock.now())
        names = (place.name, areas.name(place.district) or place.district, areas.name(place.regency) or place.regency)
        # Imported only when stickers are printed: the drawing library takes 25 MB.
        from services.registration.stickers.api import sheets

        body = await asyncio.to_thread(sheets.pdf, stickers, names, place.code, today, sample=address.sample)
        headers = {"content-disposition": f'inline; filename="stiker-{place.code}.pdf"', "cache-control": "no-store"}
        return Response(body, media_type="application/pdf", headers=headers)

    @router.get("/v1/stickers/{village}.csv")
    async def where_they_go(village: str, request: Request, rt: str | None = None) -> Response:
        """Which sticker belongs to which house, for the officers who put them up. Personal data: do not put it on
        display.
        """
        place = await desk.village(village, request)
        found = await printing.issued(context, place, _rt(rt))
        rows = [(one.rt, one.sticker_no, one.name, one.address, "", "") for one in found]
        headers = {
            "content-disposition": f'attachment; filename="pemasangan-{place.code}.csv"',
            "cache-control": "no-store",
        }
        body = for_excel((_WHERE, *rows))
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/s/worker.js", include_in_schema=False)
    async def worker() -> Response:
        headers = {"cache-control": "no-cache", "service-worker-allowed": "/s/"}
        return Response(shipped("worker.js"), media_type="text/javascript; charset=utf-8", headers=headers)

    @router.get("/s/", include_in_schema=False)
    async def ready() -> Response:
        return await _page(desk.scanner, "ready", None, 200)

    @router.get("/s/{token}")
    async def scan(token: str, request: Request) -> Response:
        """The status of a scanned sticker: valid, expired, revoked, or invalid. A page for a phone; JSON on request."""
        status, claim = await desk.scanner.judge(token)
        code = 404 if status == "invalid" else 200
        if "application/json" in request.headers.get("accept", ""):
            until = claim.valid_until.isoformat() if claim else None
            body = {
                "status": status,
                "sticker_no": claim.sticker_no if claim else None,
                "village": claim.village if claim else None,
                "valid_until": until,
            }
            return JSONResponse(body, code, headers={"cache-control": "no-store"})
        return await _page(desk.scanner, status, claim, code)

    return router


def _page_of_the_officer(router: APIRouter, desk: EndpointContext) -> None:
    @router.get("/v1/stickers")
    async def page(request: Request) -> Response:
        """The villages with verified workers, and how many stickers are issued there; for a browser a page to issue
        them.
        """
        standing = await desk.standing(request)
        if wants_page(request):
            return desk.page(standing, None)
        return JSONResponse({"villages": [asdict(one) for one in standing]}, headers={"cache-control": "no-store"})

    @router.post("/v1/stickers", include_in_schema=False)
    async def issue_from_page(request: Request) -> Response:
        """Issues for the page's form, and shows the page again with the links to the sheets."""
        fields = parse_qs((await bodies.read(request, _FORM_BYTES_MAX, "form")).decode("utf-8", "replace"))
        code, rt = fields.get("village", [""])[0].strip(), fields.get("rt", [""])[0].strip()
        place = await desk.village(code, request, REGISTRATION_OFFICER)
        try:
            count, _ = await desk.issue(place, _rt(rt))
        except HTTPException as error:
            done, status = Done(place.code, rt, problem=str(error.detail)), error.status_code
        else:
            done, status = Done(place.code, _rt(rt) or "", count), 200
        return desk.page(await desk.standing(request), done, status)


async def _page(scanner: StickerChecker, status: str, claim: StickerContent | None, code: int) -> Response:
    nonce = clock.new_id()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; worker-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"cache-control": "no-store", "content-security-policy": policy, "referrer-policy": "no-referrer"}
    return HTMLResponse(await scanner.page(status, claim, nonce), code, headers=headers)


class EndpointContext:
    """What the endpoints share."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    @cached_property
    def scanner(self) -> StickerChecker:
        """Judges stickers."""
        return StickerChecker(self._context)

    @cached_property
    def _guard(self) -> Guard:
        return Guard(self._context.environ)

    async def issue(self, place: Village, rt: str | None) -> tuple[int, bool]:
        """Issues the stickers of a village or RT: how many, and whether they can be printed already.

        Raises HTTPException 409 without a public address, 404 when nobody may have a sticker.
        """
        self.address()
        found = await printing.houses(self._context, place, rt)
        if not found:
            raise HTTPException(
                404, "belum ada peserta terverifikasi yang iurannya lunas / no verified worker with a paid premium"
            )
        await printing.issue(self._context, found, place)
        # The service reads its own step a moment later; the next print must find the stickers.
        return len(found), await printing.wait_until_issued(self._context, found)

    async def standing(self, request: Request) -> list[VillageStickers]:
        """The villages with verified workers in the caller's regencies; raises HTTPException 403 without the role."""
        regencies = (await self._guard.caller(request)).regencies(role=REGISTRATION_OFFICER)
        if regencies == []:
            raise HTTPException(403, f"this needs the role {REGISTRATION_OFFICER}")
        return await printing.standing(self._context, regencies)

    def page(self, standing: Sequence[VillageStickers], done: Done | None, status: int = 200) -> Response:
        """The officer's page."""
        sample, why_not = False, ""
        try:
            sample = address_of(self._context.environ).sample
        except NoPublicUrl as error:
            why_not = str(error)
        html = pages.issue_page(self._context.reference.areas, standing, done, sample=sample, why_not=why_not)
        return HTMLResponse(html, status, headers=HEADERS)

    def address(self) -> PublicUrl:
        """The address in the codes; raises 409 when none is configured."""
        try:
            return address_of(self._context.environ)
        except NoPublicUrl as error:
            raise HTTPException(409, str(error)) from error

    async def village(self, code: str, request: Request, role: str | None = None) -> Village:
        """The village, if the caller belongs to its regency and has `role` there (when one is given).

        Raises 404 for an unknown village, 403 otherwise.
        """
        caller = await self._guard.caller(request)
        areas = self._context.reference.areas
        found: Village | None = areas.village(areas.resolve(code))
        if found is None:
            raise HTTPException(404, "no such village / desa tidak dikenal; codes look like 64.08.04.2001")
        if not caller.may_read(found.regency):
            raise HTTPException(403, "this village is of another regency")
        if role is not None and caller.regencies(found.regency, role) == []:
            raise HTTPException(403, f"this needs the role {role}")
        return found


def _rt(text: str | None) -> str | None:
    if text is None or text == "":
        return None
    padded = text.zfill(3)
    if not _RT.fullmatch(padded):
        raise HTTPException(422, "rt is a number of up to three digits")
    return padded
