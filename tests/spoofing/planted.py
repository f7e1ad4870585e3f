"""Errors whose texts name a person: of our own code, of MongoDB's driver, of pydantic, of httpx."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx
from pydantic import BaseModel
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError, OperationFailure, WriteError

NAME, NIK, ACCOUNT = "SITI AMINAH", "6408044107850002", "0123456789012345"
VALUES = (NAME, "AMINAH", NIK, ACCOUNT)
_DOCUMENT = {"_id": NIK, "name": NAME, "account": ACCOUNT}
_TEXT = f"{NAME} {NIK} {ACCOUNT}"


class Form(BaseModel):
    """A form whose error repeats what it was given."""

    born: int


def found_in(text: str) -> list[str]:
    """The planted values that this text holds."""
    return [one for one in VALUES if one.casefold() in text.casefold()]


def _key() -> None:
    known: dict[str, int] = {}
    known[_TEXT]


def _text() -> None:
    raise ValueError(_TEXT)


def _cause() -> None:
    try:
        _text()
    except ValueError as error:
        raise RuntimeError(f"because of {NIK}") from error


def _pydantic() -> None:
    Form.model_validate({"born": _TEXT})


def _mongo_bulk() -> None:
    failed = {"index": 0, "code": 121, "errmsg": f"{_DOCUMENT} is refused", "op": _DOCUMENT}
    raise BulkWriteError({"writeErrors": [failed], "writeConcernErrors": [], "nInserted": 0})


def _mongo_duplicate() -> None:
    raise DuplicateKeyError(f"E11000 dup key: {_DOCUMENT}", 11000, {"keyValue": _DOCUMENT, "errmsg": _TEXT})


def _mongo_write() -> None:
    raise WriteError(_TEXT, 121, {"errInfo": _DOCUMENT})


def _mongo_transient() -> None:
    raise OperationFailure(_TEXT, 13, {"codeName": "Unauthorized", "errmsg": _TEXT})


def _mongo_connection() -> None:
    raise AutoReconnect(_TEXT, [_DOCUMENT])


def _httpx_status() -> None:
    url = f"http://dukcapil/check?nik={NIK}&name={NAME}"
    httpx.Response(500, text=_TEXT, request=httpx.Request("GET", url)).raise_for_status()


def _httpx_connection() -> None:
    raise httpx.ConnectError(_TEXT, request=httpx.Request("GET", f"http://dukcapil/{NIK}"))


def _httpx_url() -> None:
    raise httpx.InvalidURL(f"http://dukcapil/{NIK}?name={NAME}")


def _decoding() -> None:
    _TEXT.encode().join([b"", b"\xff"]).decode()


_ALL = (
    _key,
    _text,
    _cause,
    _pydantic,
    _mongo_bulk,
    _mongo_duplicate,
    _mongo_write,
    _mongo_transient,
    _mongo_connection,
    _httpx_status,
    _httpx_connection,
    _httpx_url,
    _decoding,
)
ERRORS: Mapping[str, Callable[[], None]] = {one.__name__.strip("_"): one for one in _ALL}


def raised(name: str) -> Exception:
    """The planted error, raised and caught."""
    try:
        ERRORS[name]()
    except Exception as error:  # noqa: BLE001  # whatever was planted
        return error
    raise AssertionError(f"{name} raised nothing")
