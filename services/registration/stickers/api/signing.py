"""The content of a sticker's QR code: number, village and last day, signed with Ed25519. No personal data, no I/O.

A token is base64url without padding of 19 bytes and their signature:
* version (1) | key (4: the first bytes of the public key's SHA-256) | last day (2: days since 2020-01-01)
* village (5: regency as 4 digits in 2, district in 1, village in 2) | number (7: ten base-32 digits) | signature (64)
The page that checks it (`templates/scan.js`) reads the same layout.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.registration import settings
from services.registration.stickers.domain.rules import DIGITS, NUMBER_DIGITS
from shared.runtime.store.crypto import id_key_from, key_bytes

VERSION = 1
# Prefix of the signed bytes, so that a sticker's signature is valid for nothing else.
CONTEXT = b"payung-sticker-v1"
EPOCH = date(2020, 1, 1)
_PAYLOAD_BYTES = 19
_SIGNATURE_BYTES = 64


class BadToken(Exception):
    """The token is no genuine sticker of this installation."""


@dataclass(frozen=True, slots=True)
class StickerContent:
    """The content of a genuine sticker."""

    sticker_no: str
    village: str
    valid_until: date


class Signer:
    """Signs with the installation's key; also accepts signatures of its older keys."""

    def __init__(self, key: Ed25519PrivateKey, older: tuple[Ed25519PublicKey, ...] = ()) -> None:
        self._key = key
        own = key.public_key()
        self._id = _key_id(own)
        self._public = {_key_id(one): one for one in (own, *older)}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Signer:
        """Reads PAYUNG_STICKER_KEY (base64 of 32 bytes), else derives a key from PAYUNG_ID_KEY.

        PAYUNG_STICKER_OLD_KEYS are the public keys (base64, separated by commas) of older stickers that still hang.
        """
        given = settings.STICKER_KEY.text(environ)
        if given:
            seed = key_bytes(given, settings.STICKER_KEY.name)
        else:
            seed = HKDF(SHA256(), 32, salt=None, info=CONTEXT).derive(id_key_from(environ))
        old = [one.strip() for one in settings.STICKER_OLD_KEYS.text(environ).split(",") if one.strip()]
        older = tuple(Ed25519PublicKey.from_public_bytes(key_bytes(one, "PAYUNG_STICKER_OLD_KEYS")) for one in old)
        return cls(Ed25519PrivateKey.from_private_bytes(seed), older)

    def public_keys(self) -> dict[str, str]:
        """Every accepted public key: its id in hex, and the key in base64."""
        return {name.hex(): base64.b64encode(_raw(key)).decode() for name, key in self._public.items()}

    def token(self, claim: StickerContent) -> str:
        """The token of a sticker; the same sticker gives the same token."""
        regency, district, village = claim.village[:5].replace(".", ""), claim.village[6:8], claim.village[9:]
        payload = (
            bytes([VERSION])
            + self._id
            + (claim.valid_until - EPOCH).days.to_bytes(2, "big")
            + int(regency).to_bytes(2, "big")
            + int(district).to_bytes(1, "big")
            + int(village).to_bytes(2, "big")
            + _number(claim.sticker_no).to_bytes(7, "big")
        )
        return base64.urlsafe_b64encode(payload + self._key.sign(CONTEXT + payload)).decode().rstrip("=")

    def open(self, token: str) -> StickerContent:
        """The content of a token; raises BadToken when the token is not ours."""
        try:
            raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError) as error:
            raise BadToken from error
        if len(raw) != _PAYLOAD_BYTES + _SIGNATURE_BYTES or raw[0] != VERSION:
            raise BadToken
        payload, signature = raw[:_PAYLOAD_BYTES], raw[_PAYLOAD_BYTES:]
        key = self._public.get(payload[1:5])
        if key is None:
            raise BadToken
        try:
            key.verify(signature, CONTEXT + payload)
        except InvalidSignature as error:
            raise BadToken from error
        regency = f"{int.from_bytes(payload[7:9], 'big'):04d}"
        village = f"{regency[:2]}.{regency[2:]}.{payload[9]:02d}.{int.from_bytes(payload[10:12], 'big'):04d}"
        value = int.from_bytes(payload[12:19], "big")
        digits = "".join(DIGITS[value >> (5 * place) & 31] for place in reversed(range(NUMBER_DIGITS)))
        until = EPOCH + timedelta(days=int.from_bytes(payload[5:7], "big"))
        return StickerContent(f"{regency}-{digits[:5]}-{digits[5:]}", village, until)


def _number(sticker_no: str) -> int:
    value = 0
    for digit in sticker_no[5:].replace("-", ""):
        value = value << 5 | DIGITS.index(digit)
    return value


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _key_id(key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(_raw(key)).digest()[:4]
