"""The secrets of a Docker installation: fresh, each service's own, readable by their owner only."""

from __future__ import annotations

import subprocess
from pathlib import Path

from shared.contracts import topics
from shared.runtime.crypto import cipher_from, id_key_from

ROOT = Path(__file__).parents[3]


def made(path: Path) -> dict[str, str]:
    with path.open("w") as out:
        subprocess.run(["sh", str(ROOT / "deploy" / "make-keys.sh")], stdout=out, check=True)
    return dict(
        line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")
    )


def test_each_service_gets_keys_of_its_own_in_a_private_file(tmp_path: Path) -> None:
    (tmp_path / ".env").touch(mode=0o644)
    first, second = made(tmp_path / ".env"), made(tmp_path / "other.env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert id_key_from(first) != id_key_from(second)
    checks = {cipher_from(first, service).check_values()["k1"] for service in topics.SERVICES}
    assert len(checks) == len(topics.SERVICES)


def test_only_who_names_workers_is_given_their_key() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    blocks = {name: text.split(f"\n  {name}:\n")[1].split("\n\n")[0] for name in topics.SERVICES}
    assert {name for name, block in blocks.items() if "*worker-ids" in block} == {"registration", "claims"}
    assert all(f"PAYUNG_FIELD_KEYS_{name.upper()}" in block for name, block in blocks.items())
