"""Every environment variable: a value of another form gives one line that names the variable and shows no secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payung import configuration as command
from shared.contracts import topics
from shared.runtime import app, configuration, settings
from shared.runtime.errors import StartRefused
from shared.runtime.settings import Choice, File, Hosts, Integer, Number, ProcessName, Setting, Text, Url, YesNo

ROOT = Path(__file__).parents[3]
TABLE = {one.name: one for known in command.table().values() for one in known}
# What people type instead of a number, a word or an address.
WRONG: dict[type[Setting], tuple[str, ...]] = {
    Integer: ("abc", "x", "-1", "1.5", "1e3", "0x10", "1_000", "١٢", "9" * 30, "8101 8102", "nan", "²"),
    Number: ("abc", "-1", "1,5", "1e3", "nan", "inf", "1_0", "9" * 30, "5 s", "٣"),
    Choice: ("abc", "nonee", "None", "yes", "-"),
    YesNo: ("maybe", "ja", "2", "yes please", "on"),
    Url: (
        "abc",
        "localhost:8106",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://a b",
        "http://h:99999",
        "nonee",
    ),
    Hosts: ("abc", "host", "host:", ":9092", "host:port", "host:0", "host:70000", "a:1,b", "a b:1"),
    ProcessName: ("a b", "ä", "x" * 101, "a/b"),
}
NOT_TEXT = [one for one in TABLE.values() if type(one) in WRONG]
# Variables of the tests, and of scripts around Payung.
OTHERS = {
    "PAYUNG_FAILPOINT", "PAYUNG_SEED", "PAYUNG_SEEDS", "PAYUNG_FIRST_SEED", "PAYUNG_PRIVATE", "PAYUNG_USER", "PAYUNG_X",
    "PAYUNG_", "PAYUNG_DUKCAPIL_", "PAYUNG_KAFKA_", "PAYUNG_KAFKA_TOKEN_", "PAYUNG_FIELD_KEYS_",
}  # fmt: skip


@pytest.mark.parametrize("setting", NOT_TEXT, ids=lambda one: one.name)
def test_another_form_is_one_line_that_names_the_variable_and_the_form(setting: Setting) -> None:
    for wrong in WRONG[type(setting)]:
        for text in (wrong, f" {wrong}\n"):
            with pytest.raises(StartRefused) as refused:
                settings.check(TABLE.values(), {setting.name: text})
            line = str(refused.value)
            assert line.startswith(f"{setting.name} is {setting.shape()}")
            assert "\n" not in line


@pytest.mark.parametrize("setting", NOT_TEXT, ids=lambda one: one.name)
def test_the_default_has_the_form_and_an_empty_value_is_the_default(setting: Setting) -> None:
    for nothing in ("", "  "):
        assert setting.text({setting.name: nothing}) == ""
    if setting.usual and " " not in setting.usual:
        assert setting.fits(setting.usual)
    if isinstance(setting, Integer) and setting.default is not None:
        assert setting.usual == str(setting.default)
        assert setting.of({}) == setting.default
        assert setting.of({setting.name: f" {setting.least} "}) == setting.least
        assert setting.of({setting.name: str(setting.most)}) == setting.most
    if isinstance(setting, Number):
        assert float(setting.usual) == setting.of({}) == setting.default


def test_a_secret_is_never_shown() -> None:
    secret = Url("PAYUNG_SECRET", "", secret=True)
    for one, value in ((secret, "hunter2"), (Url("PAYUNG_URL", ""), "htp://sari:hunter2@host")):
        with pytest.raises(StartRefused) as refused:
            one.text({one.name: value})
        assert "hunter2" not in str(refused.value)
    assert {one.name for one in TABLE.values() if one.secret} >= {
        "PAYUNG_MONGO_URL", "PAYUNG_KAFKA_PASSWORD", "PAYUNG_KAFKA_CLIENT_SECRET", "PAYUNG_ID_KEY", "PAYUNG_TOKEN",
        "PAYUNG_FIELD_KEYS", "PAYUNG_STICKER_KEY", "PAYUNG_DUKCAPIL_PASSWORD",
    }  # fmt: skip


@given(st.sampled_from(NOT_TEXT), st.text(max_size=60))
def test_every_setting_is_accepted_or_refused_in_one_line(setting: Setting, text: str) -> None:
    try:
        taken = setting.text({setting.name: text})
    except StartRefused as refused:
        line = str(refused)
    else:
        line, text = "", taken
    assert len(line.splitlines()) <= 1
    if line:
        return
    if isinstance(setting, Integer) and text:
        assert setting.least <= int(text) <= setting.most
    if isinstance(setting, Number) and text:
        assert setting.least <= float(text) <= setting.most


def _named_in(*patterns: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    found: set[str] = set()
    for name in listed.stdout.split():
        found |= set(re.findall(r"PAYUNG_[A-Z0-9_]*", (ROOT / name).read_text("utf-8")))
    return {one.removesuffix("_FILE") for one in found if not re.fullmatch(r"PAYUNG_FIELD_KEYS_[A-Z]+", one)}


def test_the_table_names_every_variable_that_code_and_pages_name() -> None:
    assert _named_in("*.py", ":!tests") - OTHERS <= TABLE.keys()
    assert _named_in("*.md", "*.yml", "*.sh", "Makefile", ":!CHANGELOG.md") - OTHERS <= TABLE.keys()


@pytest.mark.parametrize("service", topics.SERVICES)
@pytest.mark.parametrize(
    ("name", "value"),
    [("PAYUNG_HTTP_PORT", "abc"), ("PAYUNG_SESSION_TIMEOUT_MS", "x")],
)
def test_a_service_ends_with_78_before_it_asks_any_server(service: str, name: str, value: str) -> None:
    environ = {**os.environ, name: value, "PAYUNG_LOG": "json", "PAYUNG_KAFKA": "127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == app.EXIT_REFUSED == 78
    [line] = done.stderr.splitlines()
    assert '"refused to start"' in line
    assert name in line


def test_a_service_checks_the_settings_of_its_own() -> None:
    for who, known in command.table().items():
        if who.lower() in topics.SERVICES:
            assert known, who
    assert {type(one) for one in TABLE.values()} <= {*WRONG, Text, File}
    assert set(configuration.SHELL) <= set(TABLE.values())
