"""Files and folders that only their owner may read; independent of their content."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def private_folder(path: Path) -> Path:
    """A folder that only its owner may enter; made if needed."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Replaces a JSON file in one step, durable and readable by the owner only."""
    write_private_text(path, json.dumps(content, indent=2) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """Replaces a file in one step, durable and readable by the owner only; nobody sees half of it.

    When root writes, the file belongs to the owner of the folder, because a service that runs as that user reads it."""
    half = path.with_name(path.name + ".new")
    half.unlink(missing_ok=True)
    with open(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor, no path
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
