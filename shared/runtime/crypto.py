"""Field encryption at rest: AES-256-GCM with named, rotating keys (PAYUNG_FIELD_KEYS = `k2:<base64>,k1:<base64>`)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.runtime.errors import Defect, Refused

_NONCE_BYTES = 12
_NONCES_AT_ONCE = 512


class FieldCipher:
    """Seals with the first key, opens with any. A sealed field is: key name length, key name, nonce, ciphertext."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name.encode(): AESGCM(key) for name, key in keys.items()}
        self._first, self._sealer = next(iter(self._keys.items()))
        self._prefix = bytes([len(self._first)]) + self._first
        self._nonces = _nonces()

    def seal(self, text: str) -> bytes:
        """Encrypts one field."""
        # As `seal_bytes`, without the call: every personal field of every new worker comes through here.
        nonce = next(self._nonces)
        return self._prefix + nonce + self._sealer.encrypt(nonce, text.encode(), None)

    def open(self, sealed: bytes) -> str:
        """Decrypts one field; raises Defect when no configured key fits."""
        return self.open_bytes(sealed).decode()

    def seal_bytes(self, plain: bytes) -> bytes:
        """Encrypts bytes (a saved outcome with personal data)."""
        nonce = next(self._nonces)
        return self._prefix + nonce + self._sealer.encrypt(nonce, plain, None)

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it."""
        return sealed.startswith(self._prefix)

    def open_bytes(self, sealed: bytes) -> bytes:
        """Decrypts bytes; raises Defect when no configured key fits."""
        end = 1 + sealed[0]
        key = self._keys.get(bytes(sealed[1:end]))
        if key is None:
            raise Defect("a field is sealed with a key that PAYUNG_FIELD_KEYS does not name")
        try:
            return key.decrypt(bytes(sealed[end : end + _NONCE_BYTES]), bytes(sealed[end + _NONCE_BYTES :]), None)
        except InvalidTag as error:
            raise Defect("a sealed field does not open: it was changed, or the key is another") from error


def _nonces() -> Iterator[bytes]:
    """Random nonces, many from each call of the system: one call a field was a quarter of a registration's time."""
    while True:
        many = os.urandom(_NONCE_BYTES * _NONCES_AT_ONCE)
        for at in range(0, len(many), _NONCE_BYTES):
            yield many[at : at + _NONCE_BYTES]


class OpenedFields:
    """The cipher of one loaded document: a field that it opened and nobody changed is written back as it stood.

    Sealing it anew would cost a write of every personal field with every change of a status. What an older key sealed
    is sealed anew all the same, so that a rotation ends.
    """

    __slots__ = ("_cipher", "_stood")

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher
        self._stood: dict[str, bytes] = {}

    def open(self, sealed: bytes) -> str:
        """Decrypts one field, and remembers how it stood."""
        text = self._cipher.open(sealed)
        if self._cipher.is_current(sealed):
            self._stood[text] = sealed
        return text

    def seal(self, text: str) -> bytes:
        """As it stood in this document, or encrypted now."""
        return self._stood.get(text) or self._cipher.seal(text)


def cipher_from(environ: Mapping[str, str]) -> FieldCipher:
    """The cipher that the environment configures."""
    keys: dict[str, bytes] = {}
    for item in environ.get("PAYUNG_FIELD_KEYS", "").split(","):
        name, _, encoded = item.strip().partition(":")
        if not name:
            continue
        keys[name] = key_bytes(encoded, f"PAYUNG_FIELD_KEYS ({name})")
    if not keys:
        raise Refused(
            "PAYUNG_FIELD_KEYS is not set: name:base64 of 32 random bytes, e.g. k1:$(openssl rand -base64 32)"
        )
    return FieldCipher(keys)


def id_key_from(environ: Mapping[str, str]) -> bytes:
    """The secret that turns a NIK into a worker_id (PAYUNG_ID_KEY, base64 of 32 bytes)."""
    encoded = environ.get("PAYUNG_ID_KEY", "")
    if not encoded:
        raise Refused("PAYUNG_ID_KEY is not set: base64 of 32 random bytes, the same for registration and claims")
    return key_bytes(encoded, "PAYUNG_ID_KEY")


def key_bytes(encoded: str, where: str) -> bytes:
    """A configured key of 32 bytes from base64; raises Refused, naming `where` it is configured."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(f"{where} is no base64") from error
    if len(key) != 32:
        raise Refused(f"{where} holds {len(key)} bytes; 32 are needed")
    return key
