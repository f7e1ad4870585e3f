"""The officer's page of stickers: choose a village, issue, open the sheets. Indonesian, with English beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.pages import environment
from shared.reference.areas import Areas

_environment = environment("services.registration.stickers.api")


@dataclass(frozen=True, slots=True)
class Done:
    """What the officer's last click did, or why it did nothing."""

    village: str
    rt: str
    # The number of stickers that this click issued. None: nothing was issued, and `problem` says why.
    stickers: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class VillageStickers:
    """A village: its workers who are verified, and its stickers that are issued and not yet over."""

    village: str
    workers: int
    stickers: int


def issue_page(
    areas: Areas, standing: Sequence[VillageStickers], done: Done | None, *, sample: bool, why_not: str
) -> str:
    """The page. `sample`: stickers lead nowhere. `why_not`: no sticker can be printed, and this is the reason."""
    groups: dict[str, list[dict[str, object]]] = {}
    for one in sorted(standing, key=lambda one: one.village):
        district = areas.district_of(one.village) or one.village[:8]
        line = {"code": one.village, "name": areas.named(one.village), "workers": one.workers, "stickers": one.stickers}
        groups.setdefault(areas.named(district), []).append(line)
    return _environment.get_template("issue.html").render(
        groups=list(groups.items()),
        done=done,
        done_name=areas.named(done.village) if done else "",
        rt=done.rt if done else "",
        sample=sample,
        why_not=why_not,
    )
