"""House stickers: what registration publishes about them, and its internal step. No personal data."""

from __future__ import annotations

from shared.contracts.base import Data, Day, Regency


class StickerIssued(Data):
    """A sticker was printed on a sheet. When it is printed again with a later `valid_until`, it is issued again."""

    sticker_no: str
    regency: Regency
    district: str
    village: str
    issued_on: Day
    valid_until: Day


class StickerInstalled(Data):
    """A sticker was put up. The person who did it is left out, because the name is personal; `agency` is the agency
    that reported it."""

    sticker_no: str
    regency: Regency
    district: str
    village: str
    installed_on: Day
    agency: str


OUTCOMES: dict[str, type[Data]] = {
    "sticker.issued.v1": StickerIssued,
    "sticker.installed.v1": StickerInstalled,
}


class IssueSticker(Data):
    """`sticker.issue.v1`, internal: a sheet with this sticker was printed."""

    sticker_no: str
    worker_id: str
    opened_on: str
    regency: Regency
    district: str
    village: str
    valid_until: Day


WORK: dict[str, type[Data]] = {"sticker.issue.v1": IssueSticker}
