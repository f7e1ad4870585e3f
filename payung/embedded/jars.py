"""The Kafka broker's jars: fetched once, always checked, shared by all data folders of the user.

Owns the cache folder and the SHA-256 sums in the repository; does not configure or run a broker. To pin a new version,
add `kafka-<version>.sha256` beside this file: it names exactly the allowed files.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from payung.embedded.errors import LaunchError

KAFKA_VERSION = "4.3.1"
# Resolved separately: a logger resolved together with the broker once changed the version of kafka-clients silently.
_LOGGER = "org.slf4j:slf4j-simple:1.7.36"
_STAGING = "fetch-"

Progress = Callable[[str], None]


def cache_root() -> Path:
    """Payung's folder in the user's cache (XDG_CACHE_HOME, else ~/.cache)."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "payung"


def chosen(environment: Mapping[str, str]) -> str:
    """The version in PAYUNG_KAFKA_VERSION, else the default."""
    return environment.get("PAYUNG_KAFKA_VERSION") or KAFKA_VERSION


def pinned() -> list[str]:
    """Every pinned version."""
    return sorted(listed.stem.removeprefix("kafka-") for listed in Path(__file__).parent.glob("kafka-*.sha256"))


def sums(version: str = KAFKA_VERSION) -> dict[str, str]:
    """The SHA-256 of every jar of that version by file name; LaunchError when the version is not pinned."""
    if version not in pinned():
        raise LaunchError(
            f"Kafka {version} is not one of the versions Payung has checksums for: {', '.join(pinned())}."
        )
    listed = Path(__file__).with_name(f"kafka-{version}.sha256")
    pairs = (line.split() for line in listed.read_text("ascii").splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def ensure(version: str = KAFKA_VERSION, *, progress: Progress, root: Path | None = None) -> Path:
    """The folder with exactly the pinned jars; fetches them if needed. Several processes may call it at once."""
    wanted = sums(version)
    root = root or cache_root()
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f"kafka-{version}"
    with _exclusive(root / f"kafka-{version}.lock"):
        if not _complete(folder, wanted):
            _fetch_into(folder, version, wanted, progress)
        _check(folder, wanted)
    return folder


def _complete(folder: Path, wanted: Mapping[str, str]) -> bool:
    # Fetch a cleaned cache again; only a file with other content is an error.
    return all((folder / name).is_file() for name in wanted)


def _check(folder: Path, wanted: Mapping[str, str]) -> None:
    found = {jar.name: _digest(jar) for jar in folder.glob("*.jar")}
    wrong = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if wrong:
        shutil.rmtree(folder)
        raise LaunchError(
            f"{', '.join(wrong)}: not the file Payung is pinned to (SHA-256 differs). The cache {folder} was removed; "
            "run the command again. If it happens again, something on the way changes the files."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_into(folder: Path, version: str, wanted: Mapping[str, str], progress: Progress) -> None:
    for leftover in folder.parent.glob(f"{_STAGING}*"):  # from a killed fetch; we hold the lock, so nobody uses it
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_STAGING) as staging:
        jars = Path(staging) / "jars"
        jars.mkdir()
        progress(f"Fetching Kafka {version} (once, {len(wanted)} files, about 45 MB): asking which files ...")
        try:
            for done, jar in enumerate(_download(version, Path(staging) / "repository"), start=1):
                shutil.copyfile(jar, jars / jar.name)
                progress(f"Fetching Kafka {version} (once, {len(wanted)} files, about 45 MB): {done}")
        except Exception as error:  # the library lets any network or parser error through
            raise LaunchError(
                f"Kafka {version} could not be fetched ({type(error).__name__}: {error}). Check the network and run "
                "the command again, or set PAYUNG_KAFKA to a broker of yours, or use: docker compose up"
            ) from error
        _check(jars, wanted)
        shutil.rmtree(folder, ignore_errors=True)
        jars.rename(folder)
        progress(f"Fetching Kafka {version}: done, kept in {folder}")


def _download(version: str, repository: Path) -> Iterator[Path]:
    yielded: set[str] = set()
    for coordinate in (f"org.apache.kafka:kafka_2.13:{version}", _LOGGER):
        for path in _resolve(coordinate, repository):
            if path.name not in yielded:
                yielded.add(path.name)
                yield path


def _resolve(coordinate: str, repository: Path) -> Iterable[Path]:
    from jgo.config import GlobalSettings  # imported here, because a warm start does not need it
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    # Use the mirror in the user's jgo settings, if any; by default the library uses the public repository.
    mirrors = GlobalSettings.load().repositories
    context = MavenContext(repo_cache=repository, remote_repos=mirrors or None, timeout=30)
    asked = context.create_dependency(replace(Coordinate.parse(coordinate), scope="compile"))
    inputs, transitive = context.resolver.resolve([asked])
    for dependency in (*inputs, *transitive):
        if dependency.scope in ("compile", "runtime"):
            yield dependency.artifact.resolve()


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
