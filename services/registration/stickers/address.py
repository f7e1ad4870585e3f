"""The address in the codes of stickers: what the regency says it is, never what a request or this machine says.

A sticker hangs for a year. A code that leads to the machine it was printed on, or to whatever host a request named, is
a code that nobody can check, or that checks with a stranger.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

PUBLIC_URL = "PAYUNG_PUBLIC_URL"
SAMPLES = "PAYUNG_STICKER_SAMPLES"
# Reserved for ever (RFC 2606): it leads nowhere.
SAMPLE_URL = "https://contoh.invalid"


class NoAddress(Exception):
    """There is no address that a code may hold; Indonesian and English, for the officer."""


@dataclass(frozen=True, slots=True)
class Address:
    """`url` without a slash at its end. A sample leads nowhere and is marked as one on the sheet."""

    url: str
    sample: bool = False


def address_of(environ: Mapping[str, str]) -> Address:
    """From PAYUNG_PUBLIC_URL. Where it is missing or of this machine only: a sample if samples are meant
    (PAYUNG_STICKER_SAMPLES=yes, as `payung up` sets it), else NoAddress."""
    given = environ.get(PUBLIC_URL, "").strip().rstrip("/")
    if given and not _leads_somewhere(given):
        complaint = f"{PUBLIC_URL} ({_host(given) or 'tanpa alamat'}) tidak dapat dibuka dari telepon warga"
    elif not given:
        complaint = f"{PUBLIC_URL} belum diatur"
    else:
        return Address(given)
    if environ.get(SAMPLES, "").strip().lower() in ("yes", "true", "1"):
        return Address(SAMPLE_URL, sample=True)
    raise NoAddress(
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
