"""The output for the operator, on a terminal and in a file."""

from __future__ import annotations

import io

from payung.embedded.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ClosedPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_terminal_rewrites_progress_and_keeps_lines() -> None:
    out = Terminal()
    console = Console(out)
    console.progress("1 of 2")
    console.progress("2 of 2")
    console.line("ready")
    assert out.getvalue() == "\r\x1b[K1 of 2\r\x1b[K2 of 2\r\x1b[Kready\n"


def test_file_gets_the_first_progress_only() -> None:
    out = io.StringIO()
    console = Console(out)
    for number in range(40):
        console.progress(f"{number} of 46")
    console.line("ready")
    assert out.getvalue() == "0 of 46\nready\n"


def test_a_closed_reader_stops_nothing() -> None:
    Console(ClosedPipe()).line("billing stopped (exit 1); restarting in 2 s")
