"""The shell's part of a stored document: version, inputs, outcomes, due work. Knows no driver.

{_id, version, state: {...}, inputs: [{n: name, h: hash, v: version, b: bytes, o: [{i, t, k, y, p, d}]}], due?: {...}}
One-letter names keep a document with one input small: there are millions of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.kernel.decision import Due
from shared.runtime.fold import Folded, SavedOutcome, Stored, Taken
from shared.runtime.ports import Codec
from shared.runtime.store.crypto import FieldCipher, OpenedFields

# When a document holds more than this, the outcomes of its older inputs are dropped once they are surely published.
RETAINED_BYTES_MAX = 256 * 1024
# Outcomes are read only for redelivered inputs. Fields are included by name: excluding fields costs the server four
# times as much.
LOAD_PROJECTION = {"version": 1, "state": 1, "due": 1, "inputs.n": 1, "inputs.h": 1}


def due_document(due: Due | None) -> dict[str, Any] | None:
    """Due work as saved."""
    return None if due is None else {"id": due.id, "kind": due.kind, "at": due.at, "data": dict(due.data)}


def due_from(document: Mapping[str, Any] | None) -> Due | None:
    """Due work as loaded."""
    return None if document is None else Due(document["id"], document["kind"], document["at"], document["data"])


def input_document(taken: Taken, cipher: FieldCipher) -> dict[str, Any]:
    """One input with its outcomes as saved; personal outcomes are sealed."""
    outcomes: list[dict[str, Any]] = [
        {
            "i": one.id,
            "t": one.topic,
            "k": one.key,
            "y": one.type,
            "p": one.personal,
            "d": cipher.seal_bytes(one.value) if one.personal else one.value,
        }
        for one in taken.outcomes
    ]
    size = sum(len(one["d"]) for one in outcomes)
    return {"n": taken.name, "h": taken.content_hash, "v": taken.version, "b": size, "o": outcomes}


def outcomes_from(document: Mapping[str, Any], cipher: FieldCipher) -> list[SavedOutcome]:
    """The outcomes of one saved input; none when they were dropped after their publication."""
    return [
        SavedOutcome(
            id=one["i"],
            topic=one["t"],
            key=one["k"],
            type=one["y"],
            value=cipher.open_bytes(one["d"]) if one["p"] else bytes(one["d"]),
            personal=one["p"],
        )
        for one in document.get("o", ())
    ]


def new_document(folded: Folded, codec: Codec, cipher: FieldCipher) -> dict[str, Any]:
    """A whole document, for its first write."""
    document: dict[str, Any] = {
        "_id": folded.address.id,
        "version": folded.version,
        "state": codec.encode(folded.state, cipher),
        "inputs": [input_document(taken, cipher) for taken in folded.taken],
    }
    if folded.due is not None:
        document["due"] = due_document(folded.due)
    return document


@dataclass(slots=True)
class Loaded:
    """What a write needs of the document as it was loaded (`Stored.kept`)."""

    state: Mapping[str, Any]
    cipher: OpenedFields


def stored_from(document: Mapping[str, Any], codec: Codec, cipher: FieldCipher) -> Stored:
    """A loaded document as the fold sees it."""
    fields = OpenedFields(cipher)
    return Stored(
        version=document["version"],
        state=codec.decode(document["state"], fields),
        due=due_from(document.get("due")),
        taken={one["n"]: one["h"] for one in document["inputs"]},
        kept=Loaded(document["state"], fields),
    )


def changed_state(folded: Folded, codec: Codec, cipher: FieldCipher) -> tuple[dict[str, Any], list[str]]:
    """The paths under `state` to set and to unset. Unchanged fields are neither sealed nor written again."""
    loaded: Loaded | None = folded.kept
    if loaded is None:
        return {"state": codec.encode(folded.state, cipher)}, []
    stood = loaded.state
    state = codec.encode(folded.state, loaded.cipher)
    changed = {f"state.{name}": value for name, value in state.items() if name not in stood or stood[name] != value}
    return changed, [f"state.{name}" for name in stood if name not in state]
