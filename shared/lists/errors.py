"""Why a whole list file cannot be read, in words for its sender."""

from __future__ import annotations


class ListError(Exception):
    """The file as a whole cannot be read; `message_id` and `message_en` say what to do."""

    def __init__(self, message_id: str, message_en: str) -> None:
        super().__init__(message_en)
        self.message_id = message_id
        self.message_en = message_en


class HeaderError(ListError):
    """The header lacks required columns. `missing` gives their names in the contract, `unknown` the unknown names in
    the file."""

    def __init__(self, missing: tuple[str, ...], unknown: tuple[str, ...], message_id: str, message_en: str) -> None:
        super().__init__(message_id, message_en)
        self.missing = missing
        self.unknown = unknown
