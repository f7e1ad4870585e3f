"""Files that only their owner can read. When root replaces such a file, a service that runs as the owner can still read
it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from payung.embedded.private import write_private_text


def test_files_that_root_writes_belong_to_the_owner_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    write_private_text(tmp_path / "log-in", "secret")
    folder, file = tmp_path.stat(), (tmp_path / "log-in").stat()
    assert given == [(folder.st_uid, folder.st_gid)]
    assert file.st_mode & 0o777 == 0o600


def test_a_user_other_than_root_changes_no_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    write_private_text(tmp_path / "log-in", "secret")
    assert given == []
