"""Field encryption at rest: AES-256-GCM with named, rotating keys (PAYUNG_FIELD_KEYS = `k2:<base64>,k1:<base64>`)."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.runtime.errors import Defect, StartRefused
from shared.runtime.ops.secrets import FIELD_KEYS, ID_KEY, content_of, field_keys_of

_KEY_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}")
_NONCE_BYTES = 12
_NONCES_AT_ONCE = 512


class FieldCipher:
    """Seals with the first key, opens with any. A sealed field is: key name length, key name, nonce, ciphertext.

    `again` returns the keys that are configured now. With it, a key that is added while the process runs is used too:
    after `refresh`, and when a field is sealed with a key that is not known yet.
    """

    def __init__(self, keys: Mapping[str, bytes], again: Callable[[], Mapping[str, bytes]] | None = None) -> None:
        self._again = again
        self._nonces = _nonces()
        self._take_up(keys)

    def _take_up(self, keys: Mapping[str, bytes]) -> None:
        self._secrets = dict(keys)
        self._keys = {name.encode(): AESGCM(key) for name, key in keys.items()}
        self._first, self._sealer = next(iter(self._keys.items()))
        self._prefix = bytes([len(self._first)]) + self._first

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its keys; the first one seals."""
        return tuple(self._secrets)

    def check_values(self) -> dict[str, str]:
        """For each key a short text that differs from that of another key with the same name, and reveals nothing
        else."""
        return {name: check_value(key, "field key") for name, key in self._secrets.items()}

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for another purpose, from the oldest of its keys."""
        oldest = self._secrets[self.names[-1]]
        return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(oldest)

    def refresh(self) -> bool:
        """Loads the keys that are configured now; returns whether they changed. Raises StartRefused when they are
        malformed."""
        found = self._again() if self._again is not None else self._secrets
        if dict(found) == self._secrets and tuple(found) == self.names:
            return False
        self._take_up(found)
        return True

    def seal(self, text: str) -> bytes:
        # Like `seal_bytes`, without the extra call: every personal field of every new worker comes through here.
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
        if key is None and self._again is not None and self.refresh():
            key = self._keys.get(bytes(sealed[1:end]))
        if key is None:
            raise Defect("a field is sealed with a key that PAYUNG_FIELD_KEYS does not name")
        try:
            return key.decrypt(bytes(sealed[end : end + _NONCE_BYTES]), bytes(sealed[end + _NONCE_BYTES :]), None)
        except InvalidTag as error:
            raise Defect("a sealed field does not open: it was changed, or the key is another") from error


def _nonces() -> Iterator[bytes]:
    """Random nonces, many per system call: one call per field took a quarter of a registration's time."""
    while True:
        many = os.urandom(_NONCE_BYTES * _NONCES_AT_ONCE)
        for at in range(0, len(many), _NONCE_BYTES):
            yield many[at : at + _NONCE_BYTES]


class OpenedFields:
    """The cipher of one loaded document: a field that it opened and that did not change is written back unchanged.

    If it were sealed anew, every change of a status would write every personal field. A field that an older key sealed
    is sealed anew all the same, so that a key rotation completes.
    """

    __slots__ = ("_cipher", "_stood")

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher
        self._stood: dict[str, bytes] = {}

    def open(self, sealed: bytes) -> str:
        """Decrypts one field, and remembers its sealed form."""
        text = self._cipher.open(sealed)
        if self._cipher.is_current(sealed):
            self._stood[text] = sealed
        return text

    def seal(self, text: str) -> bytes:
        """The sealed form that this document already has, or a new one."""
        return self._stood.get(text) or self._cipher.seal(text)


def cipher_from(environ: Mapping[str, str], service: str) -> FieldCipher:
    """The cipher of one service: from its own variable first, else from the common one. Raises StartRefused.

    When the variable names a file, the file is read again while the process runs.
    """
    for variable in (field_keys_of(service), FIELD_KEYS):
        path = environ.get(f"{variable}_FILE")
        if path:
            return _of_file(path, f"{variable}_FILE")
        if environ.get(variable):
            return FieldCipher(field_keys(environ[variable], variable))
    raise StartRefused(f"{FIELD_KEYS} is not set: name:base64 of 32 random bytes, e.g. k1:$(openssl rand -base64 32)")


@lru_cache(maxsize=32)
def _of_file(path: str, variable: str) -> FieldCipher:
    """One cipher for all parts of a process, so that all of them learn of a new key."""

    def read() -> Mapping[str, bytes]:
        return field_keys(content_of(path, variable), variable)

    return FieldCipher(read(), read)


def field_keys(text: str, where: str) -> dict[str, bytes]:
    """Keys by name from `name:base64,name:base64`, the sealing key first; raises StartRefused, whose text shows no part
    of a key."""
    keys: dict[str, bytes] = {}
    for number, item in enumerate((part.strip() for part in text.split(",") if part.strip()), start=1):
        name, colon, encoded = item.partition(":")
        if not colon or not _KEY_NAME.fullmatch(name):
            # The entry may be the key itself, so it is not shown.
            raise StartRefused(f"{where}: entry {number} is not name:base64 with a name of up to 32 letters and digits")
        if name in keys:
            raise StartRefused(f"{where}: entry {number} has the name of an entry before it")
        keys[name] = key_bytes(encoded, f"{where} (entry {number})")
    if not keys:
        raise StartRefused(f"{where} names no key")
    return keys


def check_value(key: bytes, what: str) -> str:
    """A check value of 16 hex digits: it tells keys apart and reveals nothing about them."""
    return hmac.digest(key, f"payung check value|{what}".encode(), "sha256")[:8].hex()


def id_check_value(id_key: bytes) -> str:
    """The check value of a key of worker ids. Stores keep it, and registration publishes it."""
    return check_value(id_key, "worker id")


def id_key_from(environ: Mapping[str, str]) -> bytes:
    """The secret that turns a NIK into a worker_id (PAYUNG_ID_KEY, base64 of 32 bytes)."""
    path = environ.get(f"{ID_KEY}_FILE", "")
    encoded = environ.get(ID_KEY, "") or (content_of(path, f"{ID_KEY}_FILE") if path else "")
    if not encoded:
        raise StartRefused(f"{ID_KEY} is not set: base64 of 32 random bytes, the same for registration and claims")
    return key_bytes(encoded, ID_KEY)


def naming_key_from(environ: Mapping[str, str]) -> bytes:
    """The key that hides, in open topics, event names that others chose (`contracts/tokens.py`).

    Empty without the NIK key: services without NIKs take commands only from officers and treasuries and need no such
    key.
    """
    if not environ.get(ID_KEY) and not environ.get(f"{ID_KEY}_FILE"):
        return b""
    return hmac.digest(id_key_from(environ), b"names of events", "sha256")


def key_bytes(encoded: str, where: str) -> bytes:
    """A configured key of 32 bytes from base64; raises StartRefused, naming `where` it is configured."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise StartRefused(f"{where} is no base64") from None
    if len(key) != 32:
        raise StartRefused(f"{where} holds {len(key)} bytes; 32 are needed")
    return key
