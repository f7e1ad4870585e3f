"""The loaded tables of rates in a service's own store. They are appended, never changed, so that an old judgement can
be repeated in the same way."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from shared.reference import rates
from shared.reference.rates import Editions, Rates
from shared.runtime import clock
from shared.runtime.ports import Reader, Rows

COLLECTION = "rates"
# Far more than laws can change; more means that a program loads in a loop.
EDITIONS_MAX = 1_000
Texts = tuple[str, str]


async def load(reader: Reader) -> Editions:
    """All editions; a handful of rows, most often none."""
    rows = await reader.find_rows(COLLECTION, {}, order=("loaded_at",), limit=EDITIONS_MAX)
    return Editions(tuple((row["name"], _parsed(row["rates"], row["brackets"])) for row in rows))


async def latest(reader: Reader) -> Texts:
    """The texts of `rates.csv` and `brackets.csv` that are in force now."""
    rows = await reader.find_rows(COLLECTION, {}, order=("-loaded_at",), limit=1)
    return (rows[0]["rates"], rows[0]["brackets"]) if rows else rates.texts()


async def save(store: Rows, texts: Texts) -> bool:
    """Adds an edition that is in force from now on; False when it equals the current one."""
    if await latest(store) == texts:
        return False
    loaded_at = clock.now().isoformat()
    name = f"{version_of(texts)}|{loaded_at}"
    row = {"name": name, "loaded_at": loaded_at, "rates": texts[0], "brackets": texts[1]}
    await store.save_rows(COLLECTION, {name: row})
    return True


def version_of(texts: Texts) -> str:
    """A name that is derived from the content."""
    return "rates-" + hashlib.blake2b("\0".join(texts).encode(), digest_size=6).hexdigest()


@lru_cache(maxsize=64)
def _parsed(rates_text: str, brackets_text: str) -> Rates:
    return rates.parse(rates_text, brackets_text)
