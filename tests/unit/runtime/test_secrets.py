"""Secrets from variables and files; no error shows any part of a secret."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from shared.runtime.errors import Defect, StartRefused
from shared.runtime.ops import secrets
from shared.runtime.store.crypto import FieldCipher, cipher_from, field_keys, id_key_from
from shared.runtime.store.driver import connect

KEY = base64.b64encode(b"0123456789abcdefghijklmnopqrstuv").decode()
OTHER = base64.b64encode(b"vutsrqponmlkjihgfedcba9876543210").decode()


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"k1:{KEY}x",
        f"k1:{KEY[:-8]}",
        f"{KEY}:{KEY}",
        f"k1:{KEY},k1:{OTHER}",
        f"k1:{KEY},{OTHER}",
        f"k 1:{KEY}",
        "",
    ],
)
def test_malformed_field_keys_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(StartRefused) as refused:
        cipher_from({"PAYUNG_FIELD_KEYS": text}, "billing")
    said = str(refused.value)
    assert not any(text[at : at + 6] in said for at in range(max(0, len(text) - 6)) if "k1" not in text[at : at + 6])
    assert refused.value.__cause__ is None, "the cause would show the text"


def test_a_malformed_id_key_is_refused_and_not_shown() -> None:
    with pytest.raises(StartRefused) as refused:
        id_key_from({"PAYUNG_ID_KEY": KEY[:-1]})
    assert KEY[:6] not in str(refused.value)


def test_a_wrong_database_url_is_not_shown() -> None:
    with pytest.raises(StartRefused) as refused:
        connect("mongodb://payung:se:cr@et@127.0.0.1:x", "motor")
    assert "cr@et" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    for name, text in (("id", KEY), ("password", "geheim\n"), ("url", "mongodb://u:p@h/")):
        (tmp_path / name).write_text(text)
    found = secrets.resolved(
        {
            "PAYUNG_ID_KEY_FILE": str(tmp_path / "id"),
            "PAYUNG_KAFKA_PASSWORD_FILE": str(tmp_path / "password"),
            "PAYUNG_MONGO_URL_FILE": str(tmp_path / "url"),
            "PAYUNG_LOG": "json",
        }
    )
    assert id_key_from(found) == base64.b64decode(KEY)
    assert (found["PAYUNG_KAFKA_PASSWORD"], found["PAYUNG_MONGO_URL"], found["PAYUNG_LOG"]) == (
        "geheim",
        "mongodb://u:p@h/",
        "json",
    )


def test_a_byte_order_mark_is_no_part_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("geheim\r\n", "utf-8-sig")
    found = secrets.resolved({"PAYUNG_KAFKA_PASSWORD_FILE": str(tmp_path / "secret")})
    assert found["PAYUNG_KAFKA_PASSWORD"] == "geheim"


def test_a_file_that_is_missing_empty_or_contradicted_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match=r"PAYUNG_ID_KEY_FILE: .*cannot be read"):
        secrets.resolved({"PAYUNG_ID_KEY_FILE": str(tmp_path / "none")})
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(StartRefused, match="empty"):
        secrets.resolved({"PAYUNG_ID_KEY_FILE": str(tmp_path / "empty")})
    (tmp_path / "id").write_text(KEY)
    with pytest.raises(StartRefused, match="both set") as refused:
        secrets.resolved({"PAYUNG_ID_KEY_FILE": str(tmp_path / "id"), "PAYUNG_ID_KEY": OTHER})
    assert KEY[:6] not in str(refused.value)
    assert OTHER[:6] not in str(refused.value)


def test_a_service_gets_its_own_secrets_only() -> None:
    everything = {
        "PAYUNG_ID_KEY": "i",
        "PAYUNG_ID_KEY_FILE": "i",
        "PAYUNG_FIELD_KEYS": "f",
        "PAYUNG_FIELD_KEYS_CLAIMS": "c",
        "PAYUNG_FIELD_KEYS_BILLING_FILE": "b",
        "PAYUNG_STICKER_KEY": "s",
        "PAYUNG_DUKCAPIL_PASSWORD": "d",
        "PAYUNG_TOKEN": "t",
        "PAYUNG_LOG": "json",
    }
    assert set(secrets.without(everything)) == {"PAYUNG_LOG"}
    assert set(secrets.without(everything, "billing")) == {
        "PAYUNG_LOG",
        "PAYUNG_FIELD_KEYS",
        "PAYUNG_FIELD_KEYS_BILLING_FILE",
    }
    assert set(secrets.without(everything, "claims")) == {
        "PAYUNG_LOG",
        "PAYUNG_FIELD_KEYS",
        "PAYUNG_FIELD_KEYS_CLAIMS",
        "PAYUNG_ID_KEY",
        "PAYUNG_ID_KEY_FILE",
    }


def test_a_services_own_keys_come_before_the_common_ones() -> None:
    environ = {"PAYUNG_FIELD_KEYS": f"k1:{KEY}", "PAYUNG_FIELD_KEYS_CLAIMS": f"c1:{OTHER}"}
    assert cipher_from(environ, "claims").names == ("c1",)
    assert cipher_from(environ, "billing").names == ("k1",)


def test_a_key_that_is_added_to_the_file_is_taken_up_while_the_process_runs(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"k1:{KEY}")
    cipher = cipher_from({"PAYUNG_FIELD_KEYS_FILE": str(file)}, "claims")
    before = cipher.seal("SITI")
    file.write_text(f"k2:{OTHER},k1:{KEY}")
    elsewhere = FieldCipher(field_keys(f"k2:{OTHER}", "test")).seal("AMINAH")
    assert cipher.open(elsewhere) == "AMINAH", "the first field of the new key makes it look"
    assert (cipher.open(before), cipher.is_current(before), cipher.names) == ("SITI", False, ("k2", "k1"))
    file.write_text("nonsense")
    with pytest.raises(StartRefused):
        cipher.refresh()
    assert cipher.open(before) == "SITI"
    assert not FieldCipher(field_keys(f"k2:{OTHER}", "test")).refresh()
    with pytest.raises(Defect):
        FieldCipher(field_keys(f"k2:{OTHER}", "test")).open(before)
