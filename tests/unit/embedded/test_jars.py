"""The jar cache: it holds only pinned content. After any interruption it is complete or absent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from payung.embedded import jars
from payung.embedded.errors import LaunchError

CONTENT = {"kafka.jar": b"broker", "slf4j.jar": b"logger"}


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A registry of two files; the returned list grows by one with each download."""
    made: list[str] = []

    def download(version: str, repository: Path) -> Iterator[Path]:
        made.append(version)
        repository.mkdir()
        for name, content in CONTENT.items():
            (repository / name).write_bytes(content)
            yield repository / name

    sums = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(jars, "_download", download)
    monkeypatch.setattr(jars, "sums", lambda version: sums)
    return made


def ensure(root: Path) -> Path:
    return jars.ensure("1.0", progress=lambda text: None, root=root)


def test_first_call_fetches_and_the_next_uses_the_cache(tmp_path: Path, fetches: list[str]) -> None:
    folder = ensure(tmp_path)
    assert {jar.name: jar.read_bytes() for jar in folder.iterdir()} == CONTENT
    assert ensure(tmp_path) == folder
    assert fetches == ["1.0"]


def test_changed_jar_is_refused_and_the_cache_removed(tmp_path: Path, fetches: list[str]) -> None:
    (ensure(tmp_path) / "kafka.jar").write_bytes(b"something else")
    with pytest.raises(LaunchError, match=r"kafka\.jar.*SHA-256"):
        ensure(tmp_path)
    assert not (tmp_path / "kafka-1.0").exists()
    ensure(tmp_path)
    assert len(fetches) == 2


def test_added_jar_is_refused(tmp_path: Path, fetches: list[str]) -> None:
    (ensure(tmp_path) / "extra.jar").write_bytes(b"would be on the class path")
    with pytest.raises(LaunchError, match=r"extra\.jar"):
        ensure(tmp_path)


def test_wrong_download_never_reaches_the_cache(
    tmp_path: Path, fetches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTENT, "kafka.jar", b"tampered on the way")
    with pytest.raises(LaunchError, match=r"kafka\.jar"):
        ensure(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["kafka-1.0.lock"]


def test_missing_jar_is_fetched_again(tmp_path: Path, fetches: list[str]) -> None:
    (ensure(tmp_path) / "slf4j.jar").unlink()
    assert (ensure(tmp_path) / "slf4j.jar").is_file()


def test_leftovers_of_a_killed_fetch_are_cleared(tmp_path: Path, fetches: list[str]) -> None:
    (tmp_path / "fetch-dead").mkdir()
    ensure(tmp_path)
    assert not (tmp_path / "fetch-dead").exists()


def test_a_network_failure_names_the_alternatives(
    tmp_path: Path, fetches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(version: str, repository: Path) -> Iterator[Path]:
        raise ConnectionError("unreachable")
        yield repository

    monkeypatch.setattr(jars, "_download", offline)
    with pytest.raises(LaunchError, match="docker compose up"):
        ensure(tmp_path)


def test_pinned_sums_name_broker_and_logger_and_no_host() -> None:
    pinned = jars.sums()
    assert f"kafka_2.13-{jars.KAFKA_VERSION}.jar" in pinned
    assert f"kafka-clients-{jars.KAFKA_VERSION}.jar" in pinned
    assert "slf4j-simple-1.7.36.jar" in pinned
    assert all(len(digest) == 64 for digest in pinned.values())


def test_unpinned_version_is_refused_and_the_pinned_are_named() -> None:
    with pytest.raises(LaunchError, match=rf"9\.9\.9.*{jars.KAFKA_VERSION}"):
        jars.sums("9.9.9")


def test_one_version_is_pinned_for_all_and_another_one_must_be_first() -> None:
    assert jars.chosen({}) == jars.KAFKA_VERSION
    assert jars.chosen({"PAYUNG_KAFKA_VERSION": "9.9.9"}) == "9.9.9"
    compose = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yml").read_text("utf-8"))
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{jars.KAFKA_VERSION}"
    assert jars.pinned() == [jars.KAFKA_VERSION], "one Kafka for all: what is tested is what runs"
