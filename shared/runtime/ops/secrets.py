"""Secrets from the environment: each from its variable or from a file, and given only to the service that needs it.

`PAYUNG_X_FILE` names a file that holds what `PAYUNG_X` would. Texts of this module never show any part of a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shared.runtime.errors import StartRefused

FIELD_KEYS = "PAYUNG_FIELD_KEYS"
ID_KEY = "PAYUNG_ID_KEY"
_FILE = "_FILE"
# More than any key, password or URL needs.
_BYTES_MAX = 64 * 1024
# The services that turn a NIK into a worker id, and those that need another secret. Field keys belong to one service
# each.
NAME_WORKERS = ("registration", "claims")
_NEEDED_BY: Mapping[str, tuple[str, ...]] = {
    ID_KEY: NAME_WORKERS,
    "PAYUNG_STICKER_KEY": ("registration",),
    "PAYUNG_DUKCAPIL_PASSWORD": ("verification",),
    "PAYUNG_TOKEN": (),
}


def field_keys_of(service: str) -> str:
    """The variable that holds one service's field keys, where several services share an environment."""
    return f"{FIELD_KEYS}_{service.upper()}"


def resolved(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with every `PAYUNG_*_FILE` read, except field keys; raises StartRefused when a file cannot be
    read or a value is given twice with different content."""
    found = dict(environ)
    for name, path in environ.items():
        # Their cipher reads field keys, and reads the file again later.
        if not (name.startswith("PAYUNG_") and name.endswith(_FILE) and path) or name.startswith(FIELD_KEYS):
            continue
        target = name.removesuffix(_FILE)
        value = content_of(path, name)
        if environ.get(target, value) != value:
            raise StartRefused(f"{target} and {name} are both set and differ: unset one of them")
        found[target] = value
    return found


def content_of(path: str, name: str) -> str:
    """The text of a secret's file without surrounding blanks; raises StartRefused, which names the variable and the
    path."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_BYTES_MAX + 1)
        # Editors of Windows write a byte order mark before the text; it is no part of the secret.
        text = raw.decode("utf-8-sig").strip()
    except OSError as error:
        raise StartRefused(f"{name}: {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise StartRefused(f"{name}: {path} is no text") from None
    if not text or len(raw) > _BYTES_MAX:
        raise StartRefused(f"{name}: {path} is empty or too long")
    return text


def without(environ: Mapping[str, str], service: str | None = None) -> dict[str, str]:
    """The environment without secrets that this service does not need. Without a service: without any secret, for
    another program."""
    kept = {}
    for name, value in environ.items():
        bare = name.removesuffix(_FILE)
        if bare in _NEEDED_BY:
            if service in _NEEDED_BY[bare]:
                kept[name] = value
        elif not bare.startswith(FIELD_KEYS) or (service is not None and bare in (FIELD_KEYS, field_keys_of(service))):
            kept[name] = value
    return kept
