"""The secrets of a Docker installation: new, different for each service, owner-only, never replaced."""

from __future__ import annotations

import subprocess
from pathlib import Path

from shared.contracts import topics
from shared.runtime.store.crypto import cipher_from, id_key_from

ROOT = Path(__file__).parents[3]


def made(folder: Path, env: str = ".env") -> dict[str, str]:
    """The contents of the .env file after a call of the script; the other files are in `folder`/private."""
    command = ["sh", str(ROOT / "deploy" / "make-keys.sh"), str(folder / env), str(folder / "private")]
    subprocess.run(command, check=True)
    lines = (folder / env).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_each_service_gets_keys_of_its_own_in_a_private_file(tmp_path: Path) -> None:
    (tmp_path / ".env").touch(mode=0o644)
    first, second = made(tmp_path), made(tmp_path, "other.env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert id_key_from(first) != id_key_from(second)
    checks = {
        cipher_from({"PAYUNG_FIELD_KEYS": first[f"PAYUNG_FIELD_KEYS_{name.upper()}"]}, name).check_values()["k1"]
        for name in topics.SERVICES
    }
    assert len(checks) == len(topics.SERVICES)


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    first = made(tmp_path)
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    assert made(tmp_path) == first
    assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before


def test_an_installation_from_before_keeps_the_keys_of_its_stores(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PAYUNG_ID_KEY=theirs\nPAYUNG_FIELD_KEYS=k7:theirs")
    found = made(tmp_path)
    assert found["PAYUNG_ID_KEY"] == "theirs"
    assert {found[f"PAYUNG_FIELD_KEYS_{name.upper()}"] for name in topics.SERVICES} == {"k7:theirs"}


def test_the_servers_secrets_are_private_and_unlike_each_other(tmp_path: Path) -> None:
    found = made(tmp_path)
    private = tmp_path / "private"
    assert all(one.stat().st_mode & 0o077 == 0 for one in (private, *private.rglob("*")))
    broker, mongo = ((private / "servers" / name).read_text() for name in ("broker", "mongo.key"))
    assert len(broker) == 64
    assert broker.isalnum()
    assert 6 <= len(mongo) <= 1024, "what MongoDB takes as a key file"
    assert broker not in "".join(found.values()), "no password is in an environment"
    assert {one.name for one in (private / "credentials" / "services").iterdir()} == set(topics.SERVICES)
    assert found["PAYUNG_CREDENTIALS_FOLDER"] == str(private / "credentials")
    assert found["PAYUNG_USER"].startswith(f"{(private / 'credentials').stat().st_uid}:")


def test_only_services_that_name_workers_get_the_key() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    blocks = {name: text.split(f"\n  {name}:\n")[1].split("\n\n")[0] for name in topics.SERVICES}
    assert {name for name, block in blocks.items() if "*worker-ids" in block} == {"registration", "claims"}
    assert all(f"PAYUNG_FIELD_KEYS_{name.upper()}" in block for name, block in blocks.items())
