"""The data folder: one owner at a time, keys that survive restarts, and a run.json that is always true."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from payung.embedded.data import DataFolder, read_run
from payung.embedded.errors import LaunchError


def publish(folder: DataFolder) -> None:
    folder.publish_run(port_base=8100, kafka="k:1", mongo_url="mongodb://m", urls={"billing": "http://b"})


def test_run_is_found_while_it_runs_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert read_run(tmp_path) is None
    folder.take()
    publish(folder)
    run = read_run(tmp_path)
    assert run is not None
    assert run["pid"] == os.getpid()
    assert run["urls"] == {"billing": "http://b"}
    assert set(run) == {"pid", "port_base", "kafka", "mongo_url", "urls", "keys", "started_at", "credentials"}
    folder.release()
    assert read_run(tmp_path) is None


def test_a_run_file_left_by_a_kill_is_ignored(tmp_path: Path) -> None:
    killed = DataFolder(tmp_path)
    killed.take()
    publish(killed)
    left = (tmp_path / "run.json").read_text()
    killed.release()
    (tmp_path / "run.json").write_text(left)
    assert read_run(tmp_path) is None
    after = DataFolder(tmp_path)
    assert after.take() is True
    assert not (tmp_path / "run.json").exists()
    after.release()


def test_second_owner_is_refused_and_breaks_nothing(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.take()
    publish(first)
    with pytest.raises(LaunchError, match="already runs"):
        second.take()
    second.release()
    assert read_run(tmp_path) is not None
    first.release()


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    keys = folder.keys({})
    assert len(base64.b64decode(keys.id_key)) == 32
    name, _, field_key = keys.field_keys["billing"].partition(":")
    assert name == "k1"
    assert len(base64.b64decode(field_key)) == 32
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    assert DataFolder(tmp_path).keys({}) == keys


def test_given_keys_are_kept(tmp_path: Path) -> None:
    made = DataFolder(tmp_path).keys({"PAYUNG_ID_KEY": "aWQ=", "PAYUNG_FIELD_KEYS": "k7:Zg=="})
    assert (made.id_key, set(made.field_keys.values())) == ("aWQ=", {"k7:Zg=="})
    assert DataFolder(tmp_path).keys({}) == made


def test_another_id_key_than_the_data_was_made_with_is_refused(tmp_path: Path) -> None:
    DataFolder(tmp_path).keys({})
    with pytest.raises(LaunchError, match="second id"):
        DataFolder(tmp_path).keys({"PAYUNG_ID_KEY": "b3RoZXI="})


def test_field_keys_of_the_environment_win_for_rotation(tmp_path: Path) -> None:
    kept = DataFolder(tmp_path).keys({})
    rotated = f"k2:bmV3,{kept.field_keys['claims']}"
    assert DataFolder(tmp_path).keys({"PAYUNG_FIELD_KEYS_CLAIMS": rotated}).field_keys == {
        **kept.field_keys,
        "claims": rotated,
    }
    assert set(DataFolder(tmp_path).keys({"PAYUNG_FIELD_KEYS": rotated}).field_keys.values()) == {rotated}


def test_each_service_has_keys_of_its_own_in_a_file_of_its_own(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    keys = folder.keys({})
    assert len(set(keys.field_keys.values())) == 5
    for service, text in keys.field_keys.items():
        file = folder.field_keys_file(service)
        assert (file.read_text().strip(), file.stat().st_mode & 0o777) == (text, 0o600)


def test_keys_of_an_older_release_are_one_for_all_and_a_loose_mode_is_tightened(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"id_key": "aWQ=", "field_keys": "k1:Zg=="}))
    (tmp_path / "keys.json").chmod(0o644)
    folder = DataFolder(tmp_path)
    assert set(folder.keys({}).field_keys.values()) == {"k1:Zg=="}
    assert folder.keys_file.stat().st_mode & 0o777 == 0o600
    assert folder.field_keys_file("reporting").read_text() == "k1:Zg==\n"


def test_lost_keys_are_not_replaced_silently(tmp_path: Path) -> None:
    (tmp_path / "mongo").mkdir()
    with pytest.raises(LaunchError, match="backup"):
        DataFolder(tmp_path).keys({})


@pytest.mark.parametrize("damaged", ["", "{", "[]", json.dumps({"id_key": "x"})])
def test_damaged_keys_are_not_replaced(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "keys.json").write_text(damaged)
    with pytest.raises(LaunchError, match="damaged"):
        DataFolder(tmp_path).keys({})


def test_a_folder_that_cannot_be_made_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LaunchError, match="cannot be used"):
        DataFolder(tmp_path / "file" / "data").take()
