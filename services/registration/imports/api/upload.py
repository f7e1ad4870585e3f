"""Reads a list from an HTTP request, in constant memory: a form with a file, or the file itself as the body."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message as Header
from typing import Any

from fastapi import HTTPException, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from services.registration.imports.documents.spool import Spool

FIELD_BYTES_MAX = 1_024


@dataclass(slots=True)
class Upload:
    """The request's form fields besides the file, and the file's name."""

    fields: dict[str, str] = field(default_factory=dict)
    name: str = ""
    has_file: bool = False


async def take(request: Request, spool: Spool) -> Upload:
    """Spools the request's file; raises HTTPException when the request is no upload, TooLarge when the file is
    too large.
    """
    kind, options = _parsed(request.headers.get("content-type", ""))
    if kind != "multipart/form-data":
        _, disposition = _parsed(request.headers.get("content-disposition", ""))
        name = disposition.get("filename") or request.query_params.get("filename", "")
        upload = Upload(name=_base(name), has_file=True)
        async for data in request.stream():
            await spool.add(data)
    else:
        upload = await _take_form(request, options.get("boundary", ""), spool)
    await spool.finish()
    return upload


async def _take_form(request: Request, boundary: str, spool: Spool) -> Upload:
    if not boundary:
        raise HTTPException(400, "the form names no boundary")
    form = _Form()
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for data in request.stream():
            parser.write(data)
            if form.file:
                await spool.add(bytes(form.file))
                form.file.clear()
        parser.finalize()
    except FormParserError as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from error
    return form.upload


class _Form:
    """Collects the parts of one form. The caller removes the file's bytes between two writes."""

    def __init__(self) -> None:
        self.upload = Upload()
        self.file = bytearray()
        self._header = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._text = bytearray()
        self._name = ""
        self._is_file = False

    def callbacks(self) -> Any:
        """The callbacks of the parser."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._headers = {}
        self._text = bytearray()

    def _header_ends(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _headers_end(self) -> None:
        _, options = _parsed(self._headers.get(b"content-disposition", b"").decode("utf-8", "replace"))
        self._name = options.get("name", "")
        self._is_file = "filename" in options
        if self._is_file:
            if self.upload.has_file:
                raise HTTPException(400, "only one file per request")
            self.upload.has_file = True
            self.upload.name = _base(options["filename"])

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.file.extend(data[start:end])
            return
        self._text.extend(data[start:end])
        if len(self._text) > FIELD_BYTES_MAX:
            raise HTTPException(400, f"the field {self._name[:40]} is too long")

    def _end(self) -> None:
        if not self._is_file:
            self.upload.fields[self._name] = self._text.decode("utf-8", "replace").strip()


def _parsed(header: str) -> tuple[str, dict[str, str]]:
    """A header value and its options."""
    message = Header()
    message["content-type"] = header
    options = {str(name).lower(): str(value) for name, value in message.get_params([])[1:]}
    return header.split(";", 1)[0].strip().lower(), options


def _base(name: str) -> str:
    """A file's name without the sender's folders."""
    return name.replace("\\", "/").rsplit("/", 1)[-1][:200]
