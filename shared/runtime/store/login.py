"""The URL of the database with its login. A setting that would be ignored, or that would show a secret, is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from shared.runtime import configuration
from shared.runtime.errors import StartRefused
from shared.runtime.ops import credentials

VARIABLE = "PAYUNG_MONGO_URL"
DEFAULT_URL = configuration.MONGO_URL.usual
_WEAK = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames", "ssl_cert_reqs")
_FILES = ("tlscafile", "tlscertificatekeyfile", "tlscrlfile")


def url(environ: Mapping[str, str]) -> str:
    """The address from PAYUNG_MONGO_URL, else from the credentials file. The file's user is added when the file names a
    database and the address has no user."""
    kept = credentials.of(environ)
    named = configuration.MONGO_URL.text(environ)
    bare = named or (kept.mongo if kept is not None else None) or DEFAULT_URL
    if kept is None or kept.mongo is None or urlsplit(bare).username:
        return bare
    return with_login(bare, kept.user, kept.password, kept.ca)


def with_login(bare: str, user: str, password: str, ca: str | None) -> str:
    """A URL with a user whose account is in `admin`, and with TLS when there is a CA."""
    scheme, _, rest = bare.partition("://")
    address, _, query = rest.partition("/?")
    options = [query] if query else []
    if "authsource=" not in query.lower():
        options.append("authSource=admin")
    if ca is not None and "tls=" not in query.lower():
        options.append(f"tls=true&tlsCAFile={quote(ca, safe='')}")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"{scheme}://{login}@{address.rstrip('/')}/?{'&'.join(options)}"


def check(environ: Mapping[str, str]) -> None:
    """Raises StartRefused, without showing the password, for: TLS settings without TLS, an unchecked certificate, a
    missing login."""
    parts = urlsplit(url(environ))
    options = {name.lower(): value for name, value in parse_qsl(parts.query)}
    _check_tls(options, parts.scheme)
    by_certificate = options.get("authmechanism") in ("MONGODB-X509", "MONGODB-OIDC")
    if parts.username and not parts.password and not by_certificate:
        raise StartRefused(f"{VARIABLE} names a user without a password")
    told = configuration.MONGO_AUTH.of(environ)
    known = bool(parts.username) or by_certificate
    if not known and not told and not credentials.is_near(_with_ports(parts.netloc)):
        raise StartRefused(
            f"{VARIABLE} names no user. Name one, or say PAYUNG_MONGO_AUTH=none where the database has no log-ins"
        )
    if known and told:
        raise StartRefused("PAYUNG_MONGO_AUTH is none, but there is a log-in: one of them would be ignored")


def _check_tls(options: Mapping[str, str], scheme: str) -> None:
    tls = options.get("tls", options.get("ssl", "false")).lower() == "true" or scheme == "mongodb+srv"
    weak = [name for name in options if name in _WEAK and options[name].lower() not in ("false", "cert_required")]
    if weak:
        raise StartRefused(f"{VARIABLE} says {weak[0]}: the server's identity would not be checked; remove it")
    ignored = [name for name in options if name.startswith("tls") and name != "tls" and not tls]
    if ignored:
        raise StartRefused(f"{VARIABLE} says {ignored[0]} and not tls=true: it would be ignored")
    for name in _FILES:
        if name in options and not Path(options[name]).is_file():
            raise StartRefused(f"{VARIABLE} names a file for {name} that is none: {options[name]}")


def _with_ports(netloc: str) -> str:
    hosts = netloc.rpartition("@")[2].split(",")
    return ",".join(one if ":" in one else f"{one}:27017" for one in hosts)
