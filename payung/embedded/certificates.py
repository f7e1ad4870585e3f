"""Certificates for an installation with TLS: an authority of its own, and one certificate for both servers.

The authority is kept. Every start makes a new certificate for the servers, so it never expires while they run.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from payung.embedded.private import private_folder, write_private_text

_AUTHORITY_DAYS = 3650
_SERVER_DAYS = 825
# Certificates begin in the past, because clocks of other machines may be behind.
_EARLIER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """PEM files: the authority's certificate, and the servers' key with its certificate."""

    authority: Path
    server: Path


def kept(folder: Path, host: str, now: datetime) -> Certificates:
    """The authority of the folder, made when it is missing, and a new certificate for `host` as of `now`."""
    private_folder(folder)
    authority, key_file, server = folder / "ca.pem", folder / "ca.key", folder / "server.pem"
    if not (authority.is_file() and key_file.is_file()):
        key = ec.generate_private_key(ec.SECP256R1())
        made = _signed("Payung CA", key.public_key(), None, key, now, _AUTHORITY_DAYS)
        write_private_text(key_file, _pem(key))
        write_private_text(authority, made.public_bytes(serialization.Encoding.PEM).decode())
    issuer = x509.load_pem_x509_certificate(authority.read_bytes())
    signing = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _signed(host, key.public_key(), issuer, signing, now, _SERVER_DAYS)
    chain = "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in (made, issuer))
    write_private_text(server, _pem(key) + chain)
    return Certificates(authority=authority, server=server)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def _signed(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate | None,
    signing: ec.EllipticCurvePrivateKey,
    now: datetime,
    days: int,
) -> x509.Certificate:
    """A certificate of `key`; without an issuer it is an authority's own certificate."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        address = x509.IPAddress(ipaddress.ip_address(name))
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(
            x509.SubjectAlternativeName([address, x509.DNSName("localhost")]), critical=False
        ).add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    return builder.sign(signing, hashes.SHA256())
