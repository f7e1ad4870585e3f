"""The keys that a backup needs before it is restored."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pytest
from bson import encode

from payung import backup
from payung.installations import CommandError
from shared.runtime.store.crypto import FieldCipher

OLD, NEW = b"1" * 32, b"2" * 32
BOTH = FieldCipher({"k2": NEW, "k1": OLD})
ENVIRON = {"PAYUNG_FIELD_KEYS": f"k2:{base64.b64encode(NEW).decode()}"}
KEYS = {f"key/field/{name}": value for name, value in BOTH.check_values().items()}


def _kept(folder: Path, cipher: FieldCipher) -> list[backup.CollectionFile]:
    documents = [{"_id": 1, "text": b"\x02k1"}, {"_id": 2, "name": cipher.seal("SITI"), "filler": "x" * 10_000}]
    with gzip.open(folder / "people.bson.gz", "wb") as out:
        for one in documents:
            out.write(encode(one))
    return [backup.CollectionFile("people", len(documents), "")]


def test_a_key_retired_before_the_backup_is_not_required(tmp_path: Path) -> None:
    kept = _kept(tmp_path, FieldCipher({"k2": NEW}))
    backup._check_keys(ENVIRON, "billing", KEYS, tmp_path, kept)


def test_a_key_that_seals_something_in_the_backup_is_needed(tmp_path: Path) -> None:
    kept = _kept(tmp_path, FieldCipher({"k1": OLD}))
    with pytest.raises(CommandError, match="not configured: field/k1"):
        backup._check_keys(ENVIRON, "billing", KEYS, tmp_path, kept)


def test_another_key_under_a_known_name_is_refused(tmp_path: Path) -> None:
    kept = _kept(tmp_path, FieldCipher({"k2": NEW}))
    other = {**KEYS, "key/field/k2": "0" * 16}
    with pytest.raises(CommandError, match="not configured: field/k2"):
        backup._check_keys(ENVIRON, "billing", other, tmp_path, kept)
