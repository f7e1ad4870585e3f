"""Checks that a process has the keys that its store was written with; with other keys it is refused before it writes.

With another key of worker ids, every known person would become a second one. With another field key, saved fields could
not be read, and a part of the store would be sealed by each key. So each store keeps a check value of every key,
written once.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.runtime.errors import Defect, StartRefused
from shared.runtime.ops.guards import META
from shared.runtime.ops.secrets import FIELD_KEYS, ID_KEY
from shared.runtime.ports import StateStore
from shared.runtime.store.crypto import FieldCipher, id_check_value

FIELD = "key/field/"
WORKER_ID = "key/worker-id"
_LAST = "key0"
_KEYS_MAX = 1_000
_ASK = "Put the right key back; without it nothing of this store can be used (docs/runbooks/keys.md)"


async def check(store: StateStore, cipher: FieldCipher, id_key: bytes | None) -> None:
    """At every start: raises StartRefused, with the name of the key, when the store was written with another one.

    The first start on a store notes its keys. `id_key` None: the service names no workers.
    """
    wanted = _check_values(cipher, id_key)
    standing = await recorded(store)
    _compare(wanted, standing)
    if not standing:
        try:
            await store.check_opens()
        except Defect as error:
            raise StartRefused(f"{FIELD_KEYS}: the values in the store were sealed with other keys. {_ASK}") from error
    await _check_taken_away(store, cipher, standing)
    for name, value in wanted.items():
        # Another process may write it at the same moment.
        kept = await store.keep_first(META, name, {"check": value})
        _compare({name: value}, {name: str(kept["check"])})


async def recorded(store: StateStore) -> dict[str, str]:
    """The check values in a store, by `key/worker-id` and `key/field/<name>`."""
    rows = await store.find_rows(META, {"_id": {"$gte": "key/", "$lt": _LAST}}, limit=_KEYS_MAX)
    return {row["_id"]: str(row["check"]) for row in rows}


async def left_over(store: StateStore, cipher: FieldCipher) -> dict[str, int]:
    """How many documents each key except the first still seals something in; keys that were removed are counted too."""
    names = {name.removeprefix(FIELD) for name in await recorded(store) if name.startswith(FIELD)}
    older = sorted((names | set(cipher.names)) - {cipher.names[0]})
    return await store.sealed_with(older)


async def _check_taken_away(store: StateStore, cipher: FieldCipher, standing: Mapping[str, str]) -> None:
    """Refuses the removal of a key that still seals something; forgets removed keys that seal nothing."""
    gone = [name.removeprefix(FIELD) for name in standing if name.startswith(FIELD)]
    gone = [name for name in gone if name not in cipher.names]
    if not gone:
        return
    left = {name: count for name, count in (await store.sealed_with(gone)).items() if count}
    await store.delete_rows(META, [f"{FIELD}{name}" for name in gone if name not in left])
    if left:
        said = ", ".join(f"{count} documents are still sealed with {name}" for name, count in sorted(left.items()))
        raise StartRefused(
            f"{FIELD_KEYS} lacks a key that is needed: {said}. Put it back behind the first, and run payung keys rotate"
        )


def _check_values(cipher: FieldCipher, id_key: bytes | None) -> dict[str, str]:
    values = {f"{FIELD}{name}": value for name, value in cipher.check_values().items()}
    if id_key is not None:
        values[WORKER_ID] = id_check_value(id_key)
    return values


def _compare(wanted: Mapping[str, str], standing: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        if standing.get(name, value) == value:
            continue
        if name == WORKER_ID:
            raise StartRefused(
                f"{ID_KEY} is not the key that this store was written with: every known worker would get a second id. "
                f"{_ASK}"
            )
        key = name.removeprefix(FIELD)
        raise StartRefused(f"{FIELD_KEYS}: the key named {key} is not the one that this store was written with. {_ASK}")
