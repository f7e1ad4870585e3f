"""Answers for requests that cannot be taken: a page for a person with a browser, problem+json for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Template
from starlette.exceptions import HTTPException

from shared import pages
from shared.runtime.http import audit

_TITLES: Mapping[int, tuple[str, str]] = {
    400: ("Permintaan tidak dapat dibaca", "The request cannot be read"),
    401: ("Anda belum masuk", "You are not logged in"),
    403: ("Anda tidak berwenang untuk ini", "You may not do this"),
    404: ("Tidak ditemukan", "There is nothing here"),
    405: ("Cara ini tidak berlaku di sini", "This cannot be done here"),
    409: ("Belum dapat dilakukan", "This cannot be done yet"),
    413: ("Berkas terlalu besar", "The file is too large"),
    422: ("Isian tidak dapat diterima", "What was filled in cannot be taken"),
    429: ("Terlalu banyak permintaan", "Too many requests"),
    503: ("Sedang tidak tersedia, coba lagi sebentar lagi", "Not available now, try again shortly"),
}
_OTHERS = ("Terjadi kesalahan pada sistem", "Something went wrong here")


def answer(
    request: Request, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """`body` as problem+json, or as a page when a browser asks."""
    given = {"type": "about:blank", "status": status, **body}
    if not pages.wants_page(request):
        return JSONResponse(given, status, media_type="application/problem+json", headers=headers)
    title, title_en = _TITLES.get(status, _OTHERS)
    page = _template().render(status=status, title=title, title_en=title_en, lines=_lines(given))
    return HTMLResponse(page, status, headers={**pages.HEADERS, **(headers or {})})


@cache
def _template() -> Template:
    return pages.environment("shared.pages").get_template("problem.html")


def _lines(body: Mapping[str, Any]) -> Sequence[str]:
    """The texts of a problem, one per line."""
    found = [str(body[name]) for name in ("title", "detail") if body.get(name)]
    for one in body.get("errors", ()):
        where, what = str(one.get("pointer", "")).strip("/"), str(one.get("detail") or one.get("code") or "")
        found.append(f"{where}: {what}" if where else what)
    found += [str(one) for one in body.get("reasons", ())]
    return list(dict.fromkeys(found))


async def of_http(request: Request, error: Exception) -> Response:
    """Answers what a route refused."""
    assert isinstance(error, HTTPException)
    detail: Any = error.detail
    errors = detail.get("errors", ()) if isinstance(detail, dict) else ()
    codes = [str(one["code"]) for one in errors if "code" in one]
    if error.status_code in (401, 403) or codes:
        # Audits callers who were not let in, and inputs that were refused with a code.
        audit.refused(request, error.status_code, codes)
    body = {"title": "the request cannot be taken", **detail} if isinstance(detail, dict) else {"title": detail}
    return answer(request, error.status_code, body, error.headers)


async def of_invalid(request: Request, error: Exception) -> Response:
    """Names the missing or wrong fields of a request, never the given values."""
    assert isinstance(error, RequestValidationError)
    errors = [{"pointer": "/" + "/".join(map(str, one["loc"])), "detail": one["msg"]} for one in error.errors()]
    return answer(request, 422, {"title": "the request cannot be taken", "errors": errors})


async def of_unavailable(request: Request, error: Exception) -> Response:
    """Answers that a server we need is unavailable."""
    return answer(request, 503, {"title": "try again shortly", "detail": str(error)}, {"retry-after": "2"})


async def of_defect(request: Request, _: Exception) -> Response:
    """Answers any other error. The log has its traceback (traces); the answer contains nothing of it."""
    return answer(request, 500, {"title": "a defect of ours; it is in the log"})
