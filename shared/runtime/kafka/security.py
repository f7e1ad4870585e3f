"""Login and transport for the broker, from the environment. A setting that would be ignored is refused.

Ways to log in: SCRAM (the default when a user is set), PLAIN, OAUTHBEARER, a client certificate (mTLS), or none. No
login is accepted only for a broker on this machine, or when PAYUNG_KAFKA_AUTH says `none`. With a CA, every connection
uses TLS.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.helpers import create_ssl_context
from faststream.security import BaseSecurity, SASLOAuthBearer, SASLPlaintext, SASLScram256, SASLScram512

from shared.runtime import configuration
from shared.runtime.errors import StartRefused
from shared.runtime.kafka.tokens import TokenSource
from shared.runtime.ops import credentials
from shared.runtime.ops.secrets import content_of

PREFIX = "PAYUNG_KAFKA_"
# These settings belong to the launcher and to durability.
_NOT_OURS = {PREFIX + one for one in ("VERSION", "REPLICATION", "MIN_INSYNC", "ONE_BROKER")}
BEARER = "OAUTHBEARER"
_BY_PASSWORD: Mapping[str, Callable[..., BaseSecurity]] = {
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
    "PLAIN": SASLPlaintext,
}
MECHANISMS = (*_BY_PASSWORD, BEARER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """One way to connect; `mechanism` None means no SASL. `repr` does not show the secrets."""

    bootstrap: str
    mechanism: str | None = None
    user: str | None = None
    password: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    tokens: TokenSource | None = None

    def __repr__(self) -> str:
        return f"Security({self.protocol} {self.mechanism} {self.user} at {self.bootstrap})"

    @property
    def protocol(self) -> str:
        """Kafka's name of the security protocol."""
        way = "SSL" if self.ca else "PLAINTEXT"
        return f"SASL_{way}" if self.mechanism else way

    def context(self) -> ssl.SSLContext | None:
        """The TLS context; None without a CA. Raises StartRefused when one of its files cannot be used."""
        if self.ca is None:
            return None
        try:
            found: ssl.SSLContext = create_ssl_context(cafile=self.ca, certfile=self.certificate, keyfile=self.key)
            return found
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            names = ", ".join(one for one in (self.ca, self.certificate, self.key) if one)
            raise StartRefused(f"the certificates for Kafka cannot be used ({names}): {error}") from None

    def options(self) -> dict[str, Any]:
        """Options for aiokafka's clients, without the address."""
        found: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.context()}
        if self.mechanism == BEARER:
            return {**found, "sasl_mechanism": BEARER, "sasl_oauth_token_provider": self.tokens}
        if self.mechanism:
            login = {"sasl_plain_username": self.user, "sasl_plain_password": self.password}
            return {**found, "sasl_mechanism": self.mechanism, **login}
        return found

    def faststream(self) -> BaseSecurity | None:
        """The same for FastStream, whose broker gets `tokens` as a separate argument."""
        context = self.context()
        ways: dict[str, Any] = {"ssl_context": context, "use_ssl": context is not None}
        if self.mechanism == BEARER:
            return SASLOAuthBearer(**ways)
        if self.mechanism:
            return _BY_PASSWORD[self.mechanism](self.user, self.password, **ways)
        return BaseSecurity(**ways) if context is not None else None

    def librdkafka(self) -> dict[str, Any]:
        """The same for confluent-kafka's clients, with the address."""
        found: dict[str, Any] = {"bootstrap.servers": self.bootstrap, "security.protocol": self.protocol}
        files = {
            "ssl.ca.location": self.ca,
            "ssl.certificate.location": self.certificate,
            "ssl.key.location": self.key,
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.user,
            "sasl.password": self.password,
        }
        found |= {name: value for name, value in files.items() if value is not None}
        if self.tokens is not None:
            found["oauth_cb"] = self.tokens.for_librdkafka
        return found


def read(environ: Mapping[str, str]) -> Security:
    """The security that the environment sets. StartRefused when a setting would be ignored, or when a secret would
    travel unencrypted to another machine."""
    given = {
        name.removeprefix(PREFIX): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in _NOT_OURS and value
    }
    _take_from_files(given)
    kept = credentials.of(environ)
    bootstrap = configuration.KAFKA.text(environ) or (kept and kept.bootstrap) or configuration.KAFKA.usual
    if kept is not None:
        _refuse_beside(given, f"beside {credentials.VARIABLE}", ("CA",))
        given |= {"USER": kept.user, "PASSWORD": kept.password, "MECHANISM": kept.mechanism}
        if kept.ca is not None:
            given.setdefault("CA", kept.ca)
    found = _read(given, bootstrap)
    found.context()
    _refuse_in_the_clear(found, given)
    return found


def _take_from_files(given: dict[str, str]) -> None:
    """Reads secrets that stand in files of their own: PAYUNG_KAFKA_PASSWORD_FILE, PAYUNG_KAFKA_CLIENT_SECRET_FILE."""
    for name in ("PASSWORD", "CLIENT_SECRET"):
        file = given.pop(f"{name}_FILE", None)
        if file is None:
            continue
        text = content_of(file, f"{PREFIX}{name}_FILE")
        if given.setdefault(name, text) != text:
            raise StartRefused(f"{PREFIX}{name} and {PREFIX}{name}_FILE differ: one of them would be ignored")


def _read(given: dict[str, str], bootstrap: str) -> Security:
    _refuse_unknown(given)
    if (given.get("CERT") is None) != (given.get("KEY") is None):
        raise StartRefused(f"{PREFIX}CERT and {PREFIX}KEY belong together: a client's certificate and its key")
    if "CERT" in given and "CA" not in given:
        raise StartRefused(
            f"{PREFIX}CERT needs {PREFIX}CA: without it the connection has no TLS and sends no certificate"
        )
    tokens = TokenSource.of(given)
    return Security(
        bootstrap=bootstrap,
        mechanism=_mechanism(given, tokens),
        user=given.get("USER"),
        password=given.get("PASSWORD"),
        ca=given.get("CA"),
        certificate=given.get("CERT"),
        key=given.get("KEY"),
        tokens=tokens,
    )


def _mechanism(given: Mapping[str, str], tokens: TokenSource | None) -> str | None:
    named = given.get("MECHANISM") or (BEARER if tokens else "SCRAM-SHA-256" if "USER" in given else None)
    if named is None:
        if "PASSWORD" in given:
            raise StartRefused(f"{PREFIX}PASSWORD is set and {PREFIX}USER is not: it would be ignored")
        return None
    if named not in MECHANISMS:
        raise StartRefused(f"{PREFIX}MECHANISM is {named}; known are {', '.join(MECHANISMS)}")
    if named == BEARER:
        _refuse_beside(given, f"with {BEARER}", ("CA", "MECHANISM", "CERT", "KEY", *TokenSource.SETTINGS))
        if tokens is None:
            raise StartRefused(f"{BEARER} needs {PREFIX}TOKEN_PATH, or {PREFIX}TOKEN_URL with a client's id and secret")
    elif tokens is not None:
        raise StartRefused(f"{PREFIX}TOKEN_* is for {BEARER}, but {PREFIX}MECHANISM is {named}")
    elif not ("USER" in given and "PASSWORD" in given):
        raise StartRefused(f"{named} needs {PREFIX}USER and {PREFIX}PASSWORD; one of them is missing")
    return named


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {"AUTH", "USER", "PASSWORD", "MECHANISM", "CA", "CERT", "KEY", *TokenSource.SETTINGS}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise StartRefused(
            f"{', '.join(PREFIX + one for one in unknown)} is not a setting of Payung; it would be ignored"
        )
    if given.get("AUTH", "none") != "none":
        raise StartRefused(f"{PREFIX}AUTH can only be 'none': the broker has no log-ins")


def _refuse_beside(given: Mapping[str, str], where: str, allowed: tuple[str, ...]) -> None:
    more = sorted(PREFIX + one for one in given if one not in allowed)
    if more:
        raise StartRefused(f"{', '.join(more)} {where} would be ignored: remove one of them")


def _refuse_in_the_clear(found: Security, given: Mapping[str, str]) -> None:
    """Refuses a connection without login unless it is intended, and a password or token that would leave the machine
    unencrypted."""
    near, told = credentials.is_near(found.bootstrap), given.get("AUTH") == "none"
    known = found.mechanism is not None or found.certificate is not None
    if known and told:
        raise StartRefused(f"{PREFIX}AUTH is none, but there is a log-in: one of them would be ignored")
    if not known and found.ca and not told:
        raise StartRefused(
            f"{PREFIX}CA is set and there is no log-in. Name one ({PREFIX}USER, {credentials.VARIABLE}, a "
            f"certificate), or say {PREFIX}AUTH=none for TLS to a broker without log-ins"
        )
    if not known and not near and not told:
        raise StartRefused(
            f"there is no log-in for the broker at {found.bootstrap}. Name one ({PREFIX}USER, {credentials.VARIABLE}), "
            f"or say {PREFIX}AUTH=none where the broker has no log-ins"
        )
    if found.mechanism in ("PLAIN", BEARER) and found.ca is None and not near:
        raise StartRefused(f"{found.mechanism} without {PREFIX}CA would send its secret unencrypted: name the CA")
