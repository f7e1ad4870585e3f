"""A certificate authority for tests."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from payung.embedded import ports
from shared.runtime import clock


class Authority:
    """Signs certificates for 127.0.0.1 that are valid for `days` from now, or expired that many days ago."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("uji", self._key.public_key(), days=1, authority=True)

    def publish(self, file: Path) -> Path:
        """Writes the certificate that clients and servers trust."""
        file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return file

    def _signed(self, name: str, key: ec.EllipticCurvePublicKey, *, days: int, authority: bool) -> x509.Certificate:
        ends = clock.now() + datetime.timedelta(days=days)
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ports.HOST))])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "uji")])
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(ends - datetime.timedelta(days=30))
            .not_valid_after(ends)
            .add_extension(address, critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def issue(self, file: Path, *, days: int, name: str = "broker") -> Path:
        """Writes a key and its certificate in Kafka's form; `name` is its common name."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(name, key.public_key(), days=days, authority=False)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = [one.public_bytes(serialization.Encoding.PEM) for one in (certificate, self.certificate)]
        file.write_bytes(secret + b"".join(chain))
        return file
