"""The facts that a batch's decisions need besides their documents: the current snapshots, lists and policies.

Makes the bulk reads: a handful per batch, however many workers it holds. `sources` and `policies` know the form of the
rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.verification.domain.rules import Poverty, SnapshotPerson
from services.verification.domain.standing import Facts, Key
from services.verification.facts import policies, sources
from services.verification.settings import Settings
from shared.contracts.registration import IdentityCheckRequested
from shared.contracts.verification_work import SourceChanged
from shared.kernel.event import Event, Routed
from shared.runtime.ports import Cipher, Reader
from shared.runtime.store.crypto import cipher_from

_LOOKED_UP = (IdentityCheckRequested, SourceChanged)


@dataclass(frozen=True, slots=True)
class Reference:
    """The cipher of the snapshot's personal fields, and the settings for Dukcapil."""

    cipher: Cipher
    settings: Settings


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """Builds the reference from the environment."""
    return Reference(cipher_from(environ, "verification"), Settings.from_environment(environ))


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Looks up every worker of the batch in the lists that their regency has loaded."""
    known = await policies.load(reader)
    asked = {(one.data.regency, one.data.worker_id) for one, _ in routed if isinstance(one.data, _LOOKED_UP)}
    if not asked:
        return Facts({}, known)
    loads = await sources.loads(reader, sorted({regency for regency, _ in asked}))
    population = {key: load for key, load in loads.items() if load.kind == sources.POPULATION}
    return Facts(
        people=await _people(reader, asked, population, reference.cipher),
        policies=known,
        snapshots={regency: load.version for (regency, _), load in population.items()},
        rosters=await _rosters(reader, asked, loads),
        poverty=await _poverty(reader, asked, loads, reference.cipher),
    )


async def _people(
    reader: Reader, asked: Iterable[Key], loads: Mapping[Key, sources.Load], cipher: Cipher
) -> dict[Key, SnapshotPerson]:
    found = await sources.look_up(reader, sources.POPULATION, asked, loads)
    return {key: sources.person(row, cipher) for key, row in found.items()}


async def _rosters(
    reader: Reader, asked: Iterable[Key], loads: Mapping[Key, sources.Load]
) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, tuple[str, ...]] = {}
    for kind in sources.ROSTERS:
        for key in await sources.look_up(reader, kind, asked, loads):
            found[key] = (*found.get(key, ()), kind)
    return found


async def _poverty(
    reader: Reader, asked: Iterable[Key], loads: Mapping[Key, sources.Load], cipher: Cipher
) -> dict[Key, Poverty]:
    found: Mapping[Key, Mapping[str, Any]] = await sources.look_up(reader, sources.DINSOS, asked, loads)
    return {key: sources.poverty(row, cipher) for key, row in found.items()}
