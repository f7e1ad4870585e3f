"""The certificates of a Docker installation: strict clients accept them for the right names, and for no others."""

from __future__ import annotations

import os
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

ROOT = Path(__file__).parents[3]


def make(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(ROOT / "deploy" / "make-certs.sh"), *names]
    environ = {**os.environ, "PAYUNG_PRIVATE": str(folder)}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def greet(folder: Path, name: str) -> None:
    """A whole TLS handshake in memory; raises SSLCertVerificationError as a client would."""
    trusting = ssl.create_default_context(cafile=str(folder / "servers" / "ca.pem"))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "servers" / "server.pem")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname=name)
    server = serving.wrap_bio(there, back, server_side=True)
    sides = [client, server]
    while sides:
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)


def test_both_server_certificates_are_valid_for_their_names(tmp_path: Path) -> None:
    assert make(tmp_path, "DNS:payung.kukar.go.id").returncode == 0
    for name in ("kafka", "mongo", "localhost", "127.0.0.1", "payung.kukar.go.id"):
        greet(tmp_path, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(tmp_path, "bpjs")


def test_only_the_owner_reads_them_and_kafka_can_read_the_key(tmp_path: Path) -> None:
    assert make(tmp_path).returncode == 0
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert {one.name for one in files} == {"ca.key", "ca.pem", "server.pem"}, "nothing is left behind"
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in files)
    # Kafka reads keys only in this format.
    assert (tmp_path / "servers" / "server.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    assert make(tmp_path).returncode == 0
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    again = make(tmp_path)
    assert again.returncode == 1
    assert "exists" in again.stderr
    assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before


def test_a_renewed_certificate_is_of_the_same_authority(tmp_path: Path) -> None:
    assert make(tmp_path).returncode == 0
    server = tmp_path / "servers" / "server.pem"
    before, authority = server.read_text(), (tmp_path / "servers" / "ca.pem").read_bytes()
    server.unlink()
    assert make(tmp_path).returncode == 0
    assert server.read_text() != before
    assert (tmp_path / "servers" / "ca.pem").read_bytes() == authority
    greet(tmp_path, "kafka")
    found = x509.load_pem_x509_certificate(server.read_bytes())
    assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=825)


def test_half_an_authority_is_refused(tmp_path: Path) -> None:
    assert make(tmp_path).returncode == 0
    (tmp_path / "ca.key").unlink()
    (tmp_path / "servers" / "server.pem").unlink()
    refused = make(tmp_path)
    assert refused.returncode == 1
    assert "belong together" in refused.stderr
    assert not (tmp_path / "ca.key").exists()
