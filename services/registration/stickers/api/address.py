"""The address in the codes of stickers. The regency configures it; it is never taken from a request or from this
machine.

A sticker hangs for a year. A code that leads to the printing machine cannot be checked by anybody, and a code with the
host of some request would let a stranger answer the check.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.registration import settings

PUBLIC_URL = settings.PUBLIC_URL.name
# Reserved by RFC 2606, so it never leads anywhere.
SAMPLE_URL = "https://contoh.invalid"


class NoPublicUrl(Exception):
    """No usable address for the codes is configured. The message is for the officer, in Indonesian and English."""


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """`url` has no slash at its end. The url of a sample leads nowhere, and the sheet marks it as a sample."""

    url: str
    sample: bool = False


def address_of(environ: Mapping[str, str]) -> PublicUrl:
    """The address from PAYUNG_PUBLIC_URL.

    When it is missing or reaches this machine only: a sample address if PAYUNG_STICKER_SAMPLES=yes (`payung up` sets
    it), else raises NoPublicUrl.
    """
    given = settings.PUBLIC_URL.text(environ).rstrip("/")
    if given and not _leads_somewhere(given):
        complaint = f"{PUBLIC_URL} ({_host(given) or 'tanpa alamat'}) tidak dapat dibuka dari telepon warga"
    elif not given:
        complaint = f"{PUBLIC_URL} belum diatur"
    else:
        return PublicUrl(given)
    if settings.STICKER_SAMPLES.of(environ):
        return PublicUrl(SAMPLE_URL, sample=True)
    raise NoPublicUrl(
        f"{complaint}: kode QR stiker harus memuat alamat resmi kabupaten, misalnya https://payung.kutaitimurkab.go.id "
        f"/ no sticker is printed before {PUBLIC_URL} names the public address of this service"
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _leads_somewhere(url: str) -> bool:
    host = _host(url)
    if urlsplit(url if host else "x:").scheme not in ("http", "https"):
        return False
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".invalid", ".internal"))
    return not (number.is_loopback or number.is_unspecified or number.is_link_local)
