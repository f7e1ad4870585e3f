"""The answer to a scanned sticker (genuine, expired, revoked, or not ours) and the page that can give it offline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from importlib import resources
from typing import Any, NamedTuple

from services.registration.stickers.api.signing import BadToken, Signer, StickerContent
from services.registration.stickers.domain.rules import LEFT, revoked, sticker_no
from services.registration.stickers.domain.state import Sticker
from shared.kernel.calendar import WITA, business_day, long_date
from shared.pages import environment
from shared.reference.areas import Areas
from shared.runtime import clock
from shared.runtime.service_context import ServiceContext

# The greatest age, in seconds, of the revocation list that a page gets.
LIST_KEPT_S = 60.0
_ASKED_AT_ONCE = 5_000

TEXTS: Mapping[str, tuple[str, str, str]] = {
    "valid": (
        "BERLAKU",
        "Stiker asli. Pekerja di rumah ini terlindungi.",
        "Genuine and valid: a worker of this house is covered.",
    ),
    "expired": (
        "SUDAH TIDAK BERLAKU",
        "Stiker asli, tetapi masa berlakunya sudah lewat.",
        "Genuine, but expired.",
    ),
    "revoked": (
        "DICABUT",
        "Stiker ini sudah dicabut dan tidak berlaku lagi.",
        "Revoked: this sticker holds no more.",
    ),
    "invalid": (
        "BUKAN STIKER ASLI",
        "Kode ini tidak ditandatangani oleh pemerintah kabupaten. Laporkan kepada petugas.",
        "Not genuine: this code was not signed by the regency. Please report it.",
    ),
    "ready": (
        "Siap dipakai",
        "Pindai kode QR stiker dengan kamera. Halaman ini juga bekerja tanpa jaringan.",
        "Ready: scan a sticker with the camera. This page also works without a network.",
    ),
}


def shipped(name: str) -> str:
    """The text of a script that is shipped with this package."""
    return resources.files("services.registration.stickers.api").joinpath("templates", name).read_text("utf-8")


class _Listed(NamedTuple):
    """The numbers of revoked stickers, the time of that list, and when this process read it."""

    numbers: list[str]
    at: datetime
    read_s: float


class StickerChecker:
    """Judges tokens and renders the checking page."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._areas: Areas = context.reference.areas
        self.signer = Signer.from_environment(context.environ)
        self._page = environment("services.registration.stickers.api").get_template("scan.html")
        self._scripts = {"nacl": shipped("nacl-fast.min.js"), "script": shipped("scan.js")}
        self._listed: _Listed | None = None

    async def judge(self, token: str) -> tuple[str, StickerContent | None]:
        """The status valid, expired, revoked or invalid, and the content of a genuine sticker."""
        try:
            claim = self.signer.open(token)
        except BadToken:
            return "invalid", None
        if await self._is_revoked(claim):
            return "revoked", claim
        return ("expired" if claim.valid_until < _today() else "valid"), claim

    async def _is_revoked(self, claim: StickerContent) -> bool:
        sticker = (await self._context.reader.states("stickers", [claim.sticker_no])).get(claim.sticker_no)
        if not isinstance(sticker, Sticker):
            # Issued a moment ago; its step is not processed yet. The signature proves that the sticker is ours.
            return False
        worker = (await self._context.reader.states("workers", [sticker.worker_id])).get(sticker.worker_id)
        return revoked(sticker, worker)

    async def revoked_list(self) -> tuple[list[str], datetime]:
        """The numbers of revoked stickers that have not expired, and the time of that list."""
        if self._listed is None or clock.monotonic() - self._listed.read_s > LIST_KEPT_S:
            at = clock.now()
            self._listed = _Listed(await self._look_up(), at, clock.monotonic())
        return self._listed.numbers, self._listed.at

    async def _look_up(self) -> list[str]:
        # Only the workers' documents show who left. Sticker numbers are computed from them; no personal field is read
        # or opened.
        where = {"state.status": {"$in": [one.value for one in LEFT]}}
        by = ("_id", "state.regency", "state.opened_on")
        left = await self._context.reader.tally("workers", where, by)
        key = self._context.reference.id_key
        numbers = [
            sticker_no(key, one["regency"], one["_id"], one["opened_on"] or "") for one in left if one["regency"]
        ]
        today, found = _today().isoformat(), []
        for start in range(0, len(numbers), _ASKED_AT_ONCE):
            states = await self._context.reader.states("stickers", numbers[start : start + _ASKED_AT_ONCE])
            found += [no for no, one in states.items() if isinstance(one, Sticker) and one.valid_until >= today]
        return sorted(found)

    async def page(self, status: str, claim: StickerContent | None, nonce: str) -> str:
        """The page: the service's answer for this sticker, and all data that a phone needs to judge the next one
        offline.
        """
        numbers, as_of = await self.revoked_list()
        local = as_of.astimezone(WITA)
        state: dict[str, Any] = {
            "keys": self.signer.public_keys(),
            "revoked": numbers,
            "as_of": local.isoformat(timespec="seconds"),
            "as_of_text": f"{long_date(local.date())} pukul {local:%H.%M} WITA",
            "texts": TEXTS,
            "villages": self._villages(),
        }
        return self._page.render(
            status=status,
            text=TEXTS[status],
            claim=claim,
            village=state["villages"].get(claim.village, claim.village) if claim else "",
            until=long_date(claim.valid_until) if claim else "",
            state=state,
            # Escaped, because a name in the data that contains `</script>` would end the script.
            state_json=json.dumps(state, ensure_ascii=False).replace("<", "\\u003c"),
            nonce=nonce,
            **self._scripts,
        )

    def _villages(self) -> dict[str, str]:
        areas = self._areas
        return {
            village.code: f"{village.name}, {areas.name(district)}, {areas.name(regency)}"
            for regency in areas.regencies()
            for district in areas.districts(regency)
            for village in areas.villages(district)
        }


def _today() -> date:
    return business_day(clock.now())
