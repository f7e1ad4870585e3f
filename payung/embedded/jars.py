"""The Kafka broker's jars: fetched once, checked always, shared by every data folder of the user.

Owns the cache folder and the checked-in SHA-256 sums; knows nothing of how a broker is configured or run. A new version
is pinned by adding `kafka-<version>.sha256` beside this file: the sums name exactly the files that may be there.
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
# Resolved apart from the broker: a logger resolved with it has changed the version of kafka-clients without a word.
_LOGGER = "org.slf4j:slf4j-simple:1.7.36"
_STAGING = "fetch-"

Progress = Callable[[str], None]


def cache_root() -> Path:
    """Payung's folder in the user's cache (XDG_CACHE_HOME, else ~/.cache)."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "payung"


def chosen(environment: Mapping[str, str]) -> str:
    """The version that PAYUNG_KAFKA_VERSION names, else the default."""
    return environment.get("PAYUNG_KAFKA_VERSION") or KAFKA_VERSION


def pinned() -> list[str]:
    """Every version that can be had."""
    return sorted(listed.stem.removeprefix("kafka-") for listed in Path(__file__).parent.glob("kafka-*.sha256"))


def sums(version: str = KAFKA_VERSION) -> dict[str, str]:
    """SHA-256 by file name of every jar of that version; LaunchError for a version that is not pinned."""
    if version not in pinned():
        raise LaunchError(
            f"Kafka {version} is not one of the versions Payung has checksums for: {', '.join(pinned())}."
        )
    listed = Path(__file__).with_name(f"kafka-{version}.sha256")
    pairs = (line.split() for line in listed.read_text("ascii").splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def ensure(version: str = KAFKA_VERSION, *, progress: Progress, root: Path | None = None) -> Path:
    """The folder that holds exactly the pinned jars, fetched if need be; any process may call it at the same time."""
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
    # A cleaned-up cache is fetched again; only a file with other content is worth an alarm.
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
    for leftover in folder.parent.glob(f"{_STAGING}*"):  # of a fetch that was killed; the lock says nobody is in it
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
    from jgo.config import GlobalSettings  # here: a warm start needs none of it
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    # The user's own mirror, if their jgo settings name one; the library knows the public repository by itself.
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
