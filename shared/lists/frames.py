"""The messages between the reader of lists and its child process: JSON and bytes, each after its length."""

from __future__ import annotations

from typing import Any, BinaryIO

import orjson

from shared.lists.sheet_cells import HiddenCells
from shared.lists.sheets import Item, Sheet
from shared.lists.source import Source

# Records per batch: enough to make the pipe cheap, few enough to keep memory small.
ITEMS_MAX = 250
CHARACTERS_MAX = 1 << 16
LENGTH_BYTES = 4


def write_bytes(target: BinaryIO, data: bytes) -> None:
    """One frame."""
    target.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
    target.flush()


def write(target: BinaryIO, message: Any) -> None:
    """One frame of JSON."""
    write_bytes(target, orjson.dumps(message))


def read_bytes(source: BinaryIO) -> bytes:
    """One frame; raises EOFError when the other side is gone."""
    length = source.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        raise EOFError
    return source.read(int.from_bytes(length, "big"))


def packed(item: Item) -> Any:
    """A part of a workbook in a form for JSON."""
    if isinstance(item, Sheet):
        return {"sheet": [item.index, item.name, item.visible, item.is_1904]}
    if isinstance(item, HiddenCells):
        return {"facts": [item.hidden_rows, item.hidden_columns]}
    return item


def unpacked(item: Any) -> Item:
    """The part of a workbook that `packed` was given."""
    if isinstance(item, list):
        number, cells, fault = item
        return number, cells, fault
    if "sheet" in item:
        return Sheet(*item["sheet"])
    rows, columns = item["facts"]
    return HiddenCells(rows, [(first, last) for first, last in columns])


def size_of(source: Source) -> int:
    """How many bytes a source has."""
    with source.open() as file:
        return file.seek(0, 2)
