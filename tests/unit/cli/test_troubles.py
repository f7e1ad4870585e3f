"""Every input and every failure ends with one line in words and exit code 1 or 2, never with a traceback; no figure is
cut.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.table import Table

from payung import cli, status, terminal, troubles
from shared.kernel.money import rupiah

# Nothing listens at these addresses, and no request waits longer than a moment.
NOWHERE = {"PAYUNG_KAFKA": "127.0.0.1:1", "PAYUNG_MONGO_URL": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"}
PROJECT = Path(__file__).parents[3]
LONG = ("up", "demo")


def commands(group: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command, with the words that call it."""
    group = group or typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = dict(commands())


@pytest.fixture
def payung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs the command line in this process: exit code and output."""
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    # An installation on this machine must not answer instead of the one that is away.
    monkeypatch.setattr("payung.installations.DEFAULT_PORT_BASE", 0)
    # Some commands write to the place that they are given.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("payung.wire.CONNECT_TIMEOUT_S", 0.3)
    monkeypatch.setattr("shared.runtime.kafka.topics_admin.ADMIN_TIMEOUT_S", 0.3)

    def run(*words: str) -> tuple[int, str]:
        said, stream = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "argv", ["payung", *words])
        monkeypatch.setattr(sys, "stderr", said)
        monkeypatch.setattr(sys, "stdout", _Bytes(stream))
        try:
            cli.main()
        except SystemExit as ended:
            return int(ended.code or 0), said.getvalue() + stream.getvalue()
        return 0, said.getvalue() + stream.getvalue()

    return run


class _Bytes(io.TextIOWrapper):
    """A standard output that has a buffer."""

    def __init__(self, _: io.StringIO) -> None:
        super().__init__(io.BytesIO(), "utf-8", write_through=True)


def told(code: int, said: str) -> None:
    """What must hold after every failure."""
    assert code in (0, 1, 2, 78), said
    assert "Traceback" not in said
    assert 'File "' not in said
    assert "this should not happen" not in said


# Wrong words that people and scripts type: none, too many, a word instead of a number, a folder, a missing file,
# markup, another language.
ODD = ["", "-1", str(2**63), "[/red]", "/nowhere/at all", "2026-13", "ñ🙂"]


@pytest.mark.parametrize("words", [one for one in COMMANDS if one[0] not in LONG], ids=" ".join)
@pytest.mark.parametrize("odd", ODD)
def test_every_command_with_one_odd_value_everywhere(
    words: tuple[str, ...], odd: str, payung: Any, tmp_path: Path
) -> None:
    given: list[str] = []
    for one in COMMANDS[words].params:
        if one.name in ("help", "data") or getattr(one, "is_flag", False):
            continue
        given += [one.opts[0], odd] if one.param_type_name == "option" else [odd]
    code, said = payung(*words, *given)
    told(code, said)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([one for one in COMMANDS if one[0] not in LONG]),
    st.lists(
        st.one_of(st.text(max_size=12), st.sampled_from(ODD), st.sampled_from(["--json", "--data", "--regency"])),
        max_size=6,
    ),
)
def test_every_command_with_anything(payung: Any, words: tuple[str, ...], rest: list[str]) -> None:
    told(*payung(*words, *[one for one in rest if "\0" not in one]))


@pytest.mark.parametrize("value", [str(2**63), "9" * 30, "-5"])
def test_money_beyond_64_bits(payung: Any, value: str) -> None:
    budget = ("--regency", "64.08", "--year", "2026", "--decree", "SK", "--target", "1", "--jkm", "1")
    for words in (
        ("budget", "set", *budget, "--jkk", value),
        ("invoice", "pay", "--invoice", "INV-1", "--reference", "x", "--amount", value),
    ):
        code, said = payung(*words)
        assert code == 2
        assert "Invalid value" in said
        told(code, said)


def _docx(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", "<w:document/>")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 broken",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b"nik;nama\n",
        b"%PDF-1.7",
        b'{"nik":',
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "xlsx", "jsonl", "docx"])
def test_files_that_are_no_lists(payung: Any, tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"list.{suffix}"
    path.write_bytes(content)
    for words in (
        ("check",),
        ("publish", "--agency", "64.08/dinsos"),
        ("snapshot", "load", "--regency", "64.08"),
        ("rates", "load"),
        ("policy", "load"),
    ):
        code, said = payung(*words, str(path))
        told(code, said)
        assert code != 0


def test_a_word_document_under_another_name(payung: Any, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    _docx(path)
    code, said = payung("check", str(path))
    assert code == 1
    told(code, said)


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/1/mem").exists(), reason="root may read everything")
def test_a_file_that_may_not_be_read(payung: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.csv"
    path.write_text("nik\n")

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    code, said = payung("check", str(path))
    assert code in (1, 2)
    told(code, said)


@pytest.mark.parametrize("data", ["/proc", "/dev/null", "/nowhere", "a\nb"])
def test_an_impossible_data_folder_is_one_line(payung: Any, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAYUNG_KAFKA")
    code, said = payung("status", "--data", data)
    assert code in (1, 2)
    told(code, said)


@pytest.mark.parametrize("run", ["{", "[]", "{}", '{"kafka": 1}', "\xff"])
def test_a_run_file_that_is_broken(payung: Any, tmp_path: Path, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAYUNG_KAFKA")
    (tmp_path / "run.json").write_text(run, "latin-1")
    code, said = payung("status", "--data", str(tmp_path))
    assert code in (1, 2)
    told(code, said)


def test_a_missing_server_is_reported_in_one_line(payung: Any) -> None:
    for words in (("topics", "apply"), ("dlq", "list", "registration"), ("invoice", "list")):
        code, said = payung(*words)
        assert code == 1
        assert len(said.strip().splitlines()) <= 2, said
        told(code, said)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KeyboardInterrupt(), "stopped"),
        (FileNotFoundError(2, "No such file or directory", "list.csv"), "list.csv: No such file or directory"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "SITI"), "a file is not text in UTF-8"),
        (KeyError("6408044107850002"), "this should not happen, please report it: KeyError"),
    ],
)
def test_each_trouble_is_one_line_in_words(error: BaseException, line: str) -> None:
    said: list[str] = []

    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        troubles.run(fail, said.append)
    assert ended.value.code == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert [one.split(" at ")[0] for one in said] == [f"payung: {line}"]
    assert "6408044107850002" not in said[0]


def test_a_reader_that_closes_the_pipe_ends_the_command_quietly(tmp_path: Path) -> None:
    rows = "".join(f"{number};X;;;;;;\n" for number in range(5_000))
    heading = "nik;nama;tanggal_lahir;jenis_kelamin;desa;sektor;pekerjaan;persetujuan"
    (tmp_path / "list.csv").write_text(f"{heading}\n{rows}")
    line = f"{sys.executable} -m payung check {tmp_path / 'list.csv'} | head -1"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, cwd=PROJECT, check=False, timeout=60)
    assert done.stdout.startswith("baris ")
    assert done.stderr == ""


@pytest.mark.parametrize("columns", ["20", "40", "80"])
def test_no_terminal_is_too_narrow_for_money(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = terminal.console()
    out.file = io.StringIO()
    table = Table("invoice", "period", "workers", "total", "what it is", box=None)
    amounts = [rupiah(16_800 * 10**n) for n in range(8)]
    for number, amount in enumerate(amounts):
        table.add_row(
            f"INV-6408-2026-{number:02d}-apbd-regency-1", "2026-11", str(number), amount, "billed and not yet paid"
        )
    out.print(table)
    shown = out.file.getvalue()
    assert "…" not in shown
    assert all(amount in shown for amount in amounts)
    assert "INV-6408-2026-07-apbd-regency-1" in shown


def test_a_table_shows_words_and_no_python_values() -> None:
    assert cli.cell({"jkk": 10, "jkm": None}) == "jkk 10, jkm "
    assert cli.cell(["a", 1]) == "a, 1"
    assert cli.cell(None) == ""
    assert cli.cell(value=True) == "ya"


def test_a_table_of_a_report_names_its_month() -> None:
    report = {"as_of": "2026-12-01T00:40:15+08:00", "behind": 0, "rows": [], "totals": {"billed": 95}}
    assert "month 2026-11; as of" in str(cli.report_table({**report, "filters": {"period": "2026-11"}}).caption)
    assert str(cli.report_table(report).caption).startswith("as of")


@pytest.mark.parametrize("base", ["-5", "0", "70000", "65530", "x"])
@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_block_of_ports_that_does_not_exist_is_refused_as_such(payung: Any, command: str, base: str) -> None:
    code, said = payung(command, "--port-base", base)
    assert code == 2
    assert "--port-base" in said
    assert "in use" not in said


def test_a_service_that_does_not_answer_has_no_figures() -> None:
    silent = status._one("billing", "does not answer", None)
    assert (silent.lag, silent.oldest_waiting_s, silent.dead_letters, silent.due_work) == (None, None, None, None)
    out = terminal.console()
    out.file = io.StringIO()
    cli.out.file, before = out.file, cli.out.file
    try:
        cli._show_services([silent])
    finally:
        cli.out.file = before
    assert out.file.getvalue().splitlines()[-1].split() == [
        "billing",
        "no",
        "-",
        "-",
        "-",
        "-",
        "does",
        "not",
        "answer",
    ]


def test_a_variable_of_another_form_is_one_line_and_78(payung: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYUNG_SESSION_TIMEOUT_MS", "x")
    for words in (("status",), ("up",), ("demo",)):
        code, said = payung(*words)
        assert code == 78
        assert said.startswith("payung: PAYUNG_SESSION_TIMEOUT_MS is a whole number from 6000 to 1800000; got 'x'")
        assert len(said.strip().splitlines()) == 1


def test_a_name_is_needed_to_trace_something(payung: Any) -> None:
    code, said = payung("trace", " ")
    assert (code, "an ID is needed" in said) == (1, True)


@pytest.mark.parametrize("words", [("policy", "load"), ("rates", "load")])
def test_bytes_in_place_of_a_table_are_reported_without_codec_names(
    payung: Any, tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xde\xad\xbe\xef")
    monkeypatch.setenv("PAYUNG_FIELD_KEYS", "k1:" + "QUFB" * 10 + "QUE=")
    code, said = payung(*words, str(tmp_path / "a.toml"))
    assert code == 1
    assert "codec" not in said


def test_ctrl_c_while_the_command_loads_is_one_line() -> None:
    stop = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'payung.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from payung.start import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", stop], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "payung: stopped\n")
