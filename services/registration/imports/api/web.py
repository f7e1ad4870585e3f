"""Imports over HTTP: takes a list, seals and queues it; shows its progress and its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import cached_property

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from services.registration.imports.api import answering, pages, template
from services.registration.imports.api.upload import Upload, take
from services.registration.imports.documents.records import IMPORTS, UNFINISHED, Import, ImportStatus, import_of, row_of
from services.registration.imports.documents.spool import FILE_BYTES_MAX, FileTooLarge, Spool, forget
from shared.contracts import officers, topics
from shared.contracts.catalogue import DECISIONS
from shared.lists.columns import LAYOUTS, SENT_BY_AGENCIES, ListKind
from shared.pages import HEADERS, wants_page
from shared.runtime import clock
from shared.runtime.http.auth import REGISTRATION_OFFICER, Caller, Guard
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.server import Server
from shared.runtime.service_context import ServiceContext
from shared.runtime.store.crypto import FieldCipher, cipher_from

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN_MAX = 20
# The body is read as a stream, so FastAPI cannot derive its schema.
_FORM = {
    "type": "object",
    "required": ["agency", "file"],
    "properties": {
        "agency": {"type": "string", "example": "64.08/dinsos"},
        "kind": {"type": "string", "default": "workers"},
        "officer": {"type": "string", "description": "who signs a list of explanations, where nobody signs in"},
        "file": {"type": "string", "format": "binary"},
    },
}
_REQUEST = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": _FORM},
        "text/csv": {"schema": {"type": "string", "format": "binary"}},
        XLSX: {"schema": {"type": "string", "format": "binary"}},
    },
}
Pieces = Callable[[ServiceContext, FieldCipher, Import, asyncio.AbstractEventLoop], Iterator[bytes]]


HasTopic = Callable[[str], Awaitable[bool]]


def routes(context: ServiceContext, has_topic: HasTopic | None = None) -> APIRouter:
    """The endpoints of imports. `has_topic` asks Kafka whether an agency's topic exists."""
    router = APIRouter(prefix="/v1/imports", tags=["imports"])
    desk = EndpointContext(context, has_topic)

    @router.post("", status_code=202, openapi_extra={"requestBody": _REQUEST})
    async def post_import(request: Request) -> Response:
        """Takes a CSV, XLSX or JSONL list: a form with `agency`, `kind` and `file`, or the file as the body with these
        in the query. Answers 202 with the import's id once the file is safe. The rows are then sent even if a process
        dies.
        """
        one = await desk.take(request)
        if wants_page(request):
            return RedirectResponse(f"/v1/imports/{one.id}", 303)
        return JSONResponse(pages.as_json(one), 202, headers={"location": f"/v1/imports/{one.id}"})

    @router.get("")
    async def imports(request: Request) -> Response:
        """The latest imports; a browser also gets the form to send one."""
        caller = await desk.guard.caller(request)
        latest = [one for one in await desk.latest() if caller.may_act_for(one.agency)]
        if wants_page(request):
            html = pages.upload_page(context.reference.areas, desk.kinds, latest)
            return HTMLResponse(html, headers=HEADERS)
        return JSONResponse({"imports": [pages.as_json(one) for one in latest]})

    @router.get("/template.xlsx")
    async def template_file(regency: str, kind: str = "workers") -> Response:
        """The workbook to fill in: drop-downs, a text column for the NIK, an example."""
        if not context.reference.areas.is_regency(regency):
            raise HTTPException(404, "regency is a Kemendagri code with a dot, e.g. 64.08")
        if kind not in template.KINDS:
            raise HTTPException(404, f"there are templates of {', '.join(template.KINDS)}")
        body = await asyncio.to_thread(template.workbook, context.reference.areas, regency)
        name = f"templat-pekerja-{topics.compact_code(regency)}.xlsx"
        return Response(body, media_type=XLSX, headers={"content-disposition": f'attachment; filename="{name}"'})

    @router.get("/{identifier}")
    async def show(identifier: str, request: Request) -> Response:
        """The progress of an import: figures for a machine, for a browser a page that refreshes itself."""
        one = await desk.find(identifier, await desk.guard.caller(request))
        identities = await desk.identities.of(one) if one.status is ImportStatus.DONE else {}
        if wants_page(request):
            return HTMLResponse(pages.import_page(one, identities), headers=HEADERS)
        return JSONResponse({**pages.as_json(one), "identities": identities}, headers={"cache-control": "no-store"})

    @router.get("/{identifier}/answers.csv")
    async def answers_csv(identifier: str, request: Request) -> Response:
        """The answers file: the list's own columns, then outcome, reasons, message, message_en, worker_id."""
        one = await desk.find(identifier, await desk.guard.caller(request))
        return desk.answers(one, answering.csv_pieces, "text/csv; charset=utf-8", "csv")

    @router.get("/{identifier}/answers.xlsx")
    async def answers_xlsx(identifier: str, request: Request) -> Response:
        """The answers file as a workbook whose cells are text."""
        one = await desk.find(identifier, await desk.guard.caller(request))
        return desk.answers(one, answering.xlsx_pieces, XLSX, "xlsx")

    return router


class EndpointContext:
    """What the endpoints share: the store, the cipher, the access rules."""

    def __init__(self, context: ServiceContext, has_topic: HasTopic | None) -> None:
        self._context = context
        self._has_topic = has_topic or self._stands

    @cached_property
    def identities(self) -> answering.Identities:
        return answering.Identities(self._context)

    @cached_property
    def _cipher(self) -> FieldCipher:
        return cipher_from(self._context.environ, self._context.name)

    @cached_property
    def guard(self) -> Guard:
        return Guard(self._context.environ)

    @cached_property
    def kinds(self) -> list[ListKind]:
        """The kinds of lists that this service takes."""
        return [kind for kind in SENT_BY_AGENCIES if LAYOUTS[kind].type in self._context.spec.inputs]

    async def take(self, request: Request) -> Import:
        """Takes one file; raises HTTPException when it is no valid list of an agency."""
        caller = await self.guard.caller(request)
        query = request.query_params
        if query.get("agency"):
            # Checked before the upload, so that a mistake is reported without waiting for the last byte.
            self._may(caller, query["agency"])
        identifier = clock.new_id()
        one = Import(
            id=identifier, agency="", kind="workers", name="", received_at=clock.now(), status=ImportStatus.RECEIVING
        )
        await self._save(one)
        spool = Spool(identifier, self._context.reader, self._cipher)
        try:
            upload = await take(request, spool)
            one = self._complete(one, upload, spool, caller, request)
            if not await self._has_topic(topics.registration_intake(*one.agency.split("/"))):
                # Asked before the first row is sent, because a missing topic would break the service's producer.
                raise _problem("agency", f"{one.agency} is not known here; payung agency add {one.agency} makes it")
        except FileTooLarge as error:
            await self._drop(identifier)
            raise HTTPException(413, f"a list may have {FILE_BYTES_MAX} bytes") from error
        except HTTPException:
            await self._drop(identifier)
            raise
        standing = await self._same(one)
        if standing is not None:
            # A second click, or a browser that sends again: the first import still works on this same file.
            await self._drop(identifier)
            return standing
        await self._save(one)
        return one

    def _complete(self, one: Import, upload: Upload, spool: Spool, caller: Caller, request: Request) -> Import:
        query = request.query_params
        agency = upload.fields.get("agency") or query.get("agency") or ""
        kind = upload.fields.get("kind") or query.get("kind") or "workers"
        self._may(caller, agency)
        if kind not in self.kinds:
            raise _problem("kind", f"is one of {', '.join(self.kinds)}")
        officer = ""
        if LAYOUTS[next(one for one in self.kinds if one == kind)].type in DECISIONS:
            officer = self._officer(caller, agency, upload.fields.get("officer") or query.get("officer") or "")
        if not upload.has_file or not spool.size:
            raise _problem("file", "is missing or empty / berkas tidak ada atau kosong")
        return replace(
            one,
            agency=agency,
            kind=next(one for one in self.kinds if one == kind),
            name=upload.name or "daftar",
            status=ImportStatus.WAITING,
            sha256=spool.sha256,
            size=spool.size,
            chunks=spool.chunks,
            officer=officer,
        )

    def _officer(self, caller: Caller, agency: str, named: str) -> str:
        """The signer of a list of decisions: the owner of the token; without a log-in, the officer named in the
        form.
        """
        regency = agency.split("/")[0]
        if not caller.has_role(REGISTRATION_OFFICER, regency):
            raise HTTPException(403, f"the token has no role {REGISTRATION_OFFICER} for {regency}")
        signed = caller.signature or named.strip()
        if not signed:
            raise _problem("officer", "is missing: an officer signs explanations / nama petugas belum diisi")
        if named.strip() and not officers.same_person(named, signed):
            raise HTTPException(403, "you are signed in under another name than the officer whom the form names")
        return signed

    async def _stands(self, topic: str) -> bool:
        return topic in await topics_admin.partitions(Server(self._context.environ), [topic])

    def _may(self, caller: Caller, agency: str) -> None:
        if topics.agency_of_source(f"agency/{agency}") is None:
            raise _problem("agency", "is REGENCY/NAME, e.g. 64.08/dinsos")
        if not caller.may_act_for(agency):
            raise HTTPException(403, f"you may not send for {agency}")

    async def _same(self, one: Import) -> Import | None:
        where = {
            "status": {"$in": list(UNFINISHED)},
            "agency": one.agency,
            "kind": one.kind,
        }
        # The digest is stored sealed, so the store cannot search for it. Few lists of one agency are at work at a time.
        rows = await self._context.reader.find_rows(IMPORTS, where)
        found = (import_of(row["_id"], row, self._cipher) for row in rows)
        return next((other for other in found if other.sha256 == one.sha256), None)

    async def find(self, identifier: str, caller: Caller) -> Import:
        """An import that this caller may see; otherwise raises 404, so that a caller learns nothing about other
        senders' lists."""
        row = (await self._context.reader.rows(IMPORTS, [identifier])).get(identifier)
        one = import_of(identifier, row, self._cipher) if row is not None else None
        if one is None or not caller.may_act_for(one.agency):
            raise HTTPException(404, "no such import")
        return one

    async def latest(self) -> list[Import]:
        where = {"status": {"$ne": ImportStatus.RECEIVING.value}}
        rows = await self._context.reader.find_rows(IMPORTS, where, order=("-received_at",), limit=SHOWN_MAX)
        return [import_of(row["_id"], row, self._cipher) for row in rows]

    def answers(self, one: Import, pieces: Pieces, media_type: str, suffix: str) -> Response:
        """The answers file as a stream, or the error that says why there is none."""
        if one.status is ImportStatus.EXPIRED:
            raise HTTPException(410, "the file and its answers were deleted / berkas dan jawabannya sudah dihapus")
        if one.status is not ImportStatus.DONE:
            raise HTTPException(409, "not every row is answered yet / belum semua baris dijawab")
        loop = asyncio.get_running_loop()
        headers = {
            "content-disposition": f'attachment; filename="jawaban-{one.id}.{suffix}"',
            "cache-control": "no-store",
        }
        body = pieces(self._context, self._cipher, one, loop)
        return StreamingResponse(body, media_type=media_type, headers=headers)

    async def _save(self, one: Import) -> None:
        await self._context.reader.save_rows(IMPORTS, {one.id: row_of(one, self._cipher)})

    async def _drop(self, identifier: str) -> None:
        await forget(self._context.reader, identifier)
        await self._context.reader.delete_rows(IMPORTS, [identifier])


def _problem(name: str, detail: str) -> HTTPException:
    return HTTPException(422, {"errors": [{"pointer": f"/{name}", "detail": f"{name} {detail}"}]})
