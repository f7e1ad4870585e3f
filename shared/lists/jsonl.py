"""Lists as JSONL: each line is the data of an event, or a whole CloudEvent. It is passed on unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from shared.lists.columns import LAYOUTS, ListKind, takes_submission_id
from shared.lists.errors import ListError
from shared.lists.reading import FileFormat, JsonLine, ListReading
from shared.lists.rows import FAULTS, NOT_JSON, ListFile, Problem, Row
from shared.lists.source import Source


def open_jsonl(source: Source, kind: ListKind, form: FileFormat, reading: ListReading) -> ListFile:
    """Opens a JSONL file and reads through it once."""
    encoding = form.encoding
    header = tuple(column.name for column in LAYOUTS[kind].columns)
    notices = (encoding.notice,) if encoding.notice else ()
    count = sum(1 for _, line, fault in reading.lines(source, encoding) if fault or line.strip())
    if not count:
        raise ListError("Berkas kosong.", "The file is empty.")
    rows = _JsonLines(kind, header, lambda: reading.lines(source, encoding)).rows
    return ListFile(source, kind, "jsonl", ",", encoding.bom, header, notices, rows, count=count)


class _JsonLines:
    """A JSONL file: each line the data of an event, or a whole CloudEvent."""

    def __init__(self, kind: ListKind, header: tuple[str, ...], lines: Callable[[], Iterator[JsonLine]]) -> None:
        self._layout = LAYOUTS[kind]
        self._header = header
        self._lines = lines
        self._numbers_rows = takes_submission_id(self._layout)

    def rows(self) -> Iterator[Row]:
        """Every line that is not blank."""
        for number, line, fault in self._lines():
            if fault is not None:
                yield self._broken(number, FAULTS[fault])
            elif line.strip():
                yield self._row(number, line)

    def _row(self, number: int, line: str) -> Row:
        parsed = _parse(line)
        if not isinstance(parsed, dict):
            return self._broken(number, NOT_JSON)
        envelope = parsed if "specversion" in parsed else None
        data = parsed if envelope is None else parsed.get("data")
        kind = parsed.get("type") if envelope is not None else None
        if not isinstance(data, dict):
            return self._broken(number, NOT_JSON, envelope)
        cells = tuple(_cell(data, column.path) for column in self._layout.columns)
        if self._numbers_rows and data.get("submission_id") in (None, ""):
            data = {**data, "submission_id": str(number)}
        return Row(
            number, self._header, cells, kind if isinstance(kind, str) else self._layout.type, data, (), envelope
        )

    def _broken(self, number: int, problem: Problem, envelope: dict[str, Any] | None = None) -> Row:
        cells = ("",) * len(self._header)
        return Row(number, self._header, cells, self._layout.type, {}, (problem,), envelope)


def _parse(line: str) -> object:
    """What a line says, read as the services read it; None when they could not."""
    try:
        parsed: object = orjson.loads(line)
        # Deeper nesting than this writes can be read, and could not be sent.
        orjson.dumps(parsed)
    except (ValueError, TypeError):
        return None
    return parsed


def _cell(data: Any, path: tuple[str, ...]) -> str:
    for step in path:
        if isinstance(data, list):
            data = data[int(step)] if step.isdigit() and int(step) < len(data) else None
        else:
            data = data.get(step) if isinstance(data, dict) else None
    if data is None:
        return ""
    if isinstance(data, list) and all(isinstance(item, str) for item in data):
        return " ".join(data)
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
