"""The changes that are written for a loaded document: only what changed, and no value is sealed twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.kernel.decision import Address
from shared.runtime.fold import Folded
from shared.runtime.ports import Cipher
from shared.runtime.store import documents
from shared.runtime.store.crypto import FieldCipher, OpenedFields

OLD = b"o" * 32
NEW = b"n" * 32


class SealedName:
    """A sealed name and an open status."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return {**state, "form": {"name": cipher.seal(state["form"]["name"])}}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        return {**body, "form": {"name": cipher.open(body["form"]["name"])}}


def loaded(cipher: FieldCipher, state: dict[str, Any]) -> Folded:
    raw = {"version": 1, "state": SealedName().encode(state, cipher), "inputs": []}
    stored = documents.stored_from(raw, SealedName(), cipher)
    return Folded(Address("people", "a"), 1, 2, stored.state, None, kept=stored.kept)


def test_only_what_changed_is_written_and_no_field_sealed_again() -> None:
    cipher = FieldCipher({"k1": NEW})
    folded = loaded(cipher, {"status": "new", "sex": "P", "form": {"name": "Siti"}})
    folded.state = {**folded.state, "status": "verified"}
    assert documents.changed_state(folded, SealedName(), cipher) == ({"state.status": "verified"}, [])


def test_a_changed_personal_field_is_sealed_again() -> None:
    cipher = FieldCipher({"k1": NEW})
    folded = loaded(cipher, {"status": "new", "form": {"name": "Siti"}})
    folded.state = {"status": "new", "form": {"name": "Sitti"}}
    changed, gone = documents.changed_state(folded, SealedName(), cipher)
    assert (list(changed), gone) == (["state.form"], [])
    assert cipher.open(changed["state.form"]["name"]) == "Sitti"


def test_a_field_that_disappeared_is_unset() -> None:
    cipher = FieldCipher({"k1": NEW})
    folded = loaded(cipher, {"status": "new", "left_on": "2026-01-01", "form": {"name": "Siti"}})
    folded.state = {"status": "new", "form": {"name": "Siti"}}
    assert documents.changed_state(folded, SealedName(), cipher) == ({}, ["state.left_on"])


def test_a_new_document_is_written_whole() -> None:
    cipher = FieldCipher({"k1": NEW})
    folded = Folded(Address("people", "a"), 0, 1, {"status": "new", "form": {"name": "Siti"}}, None)
    changed, gone = documents.changed_state(folded, SealedName(), cipher)
    assert (list(changed), gone) == (["state"], [])


def test_values_of_an_older_key_are_sealed_with_the_first_key() -> None:
    before = FieldCipher({"k1": OLD})
    fields = OpenedFields(FieldCipher({"k2": NEW, "k1": OLD}))
    assert fields.open(before.seal("Siti")) == "Siti"
    assert FieldCipher({"k2": NEW}).open(fields.seal("Siti")) == "Siti"
