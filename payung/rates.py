"""`payung rates load|show`: the dated tables of premiums and benefits. An operator edits them after a change of law."""

from __future__ import annotations

from pathlib import Path

from payung.installations import CommandError, Installation
from services.billing.stream import SPEC as BILLING
from services.claims.stream import SPEC as CLAIMS
from services.registration.stream import SPEC as REGISTRATION
from shared.reference import edited_rates
from shared.reference.edited_rates import TABLES, RatesTable
from shared.runtime.app import open_store
from shared.runtime.store import editions
from shared.runtime.store.editions import Texts

# The services that use the rates: premiums, benefits, and terms of construction projects.
OWNERS = (BILLING, CLAIMS, REGISTRATION)


def read(path: Path, standing: Texts) -> Texts:
    """The tables, one of them read from a file. CommandError says what is wrong with the file."""
    text = text_of(path)
    try:
        return edited_rates.beside(text, standing)
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from error


def text_of(path: Path) -> str:
    """The text of a file with a table. CommandError when it is no text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{path} is no text in UTF-8; save the table as CSV UTF-8") from None


async def load(installation: Installation, path: Path) -> tuple[str, bool]:
    """Loads a table into the services that use it, from now on. Returns its version, and whether it was new."""
    stores = [open_store(spec, installation.environ) for spec in OWNERS]
    try:
        # Check it against all services before loading it into any: their other tables may differ.
        wanted = [read(path, await editions.latest(store)) for store in stores]
        added = [await editions.save(store, texts) for store, texts in zip(stores, wanted, strict=True)]
        return editions.version_of(wanted[0]), any(added)
    finally:
        for store in stores:
            await store.close()


async def show(installation: Installation, table: RatesTable) -> str:
    """The table in use now, in the form that `load` accepts."""
    store = open_store(BILLING, installation.environ)
    try:
        return (await editions.latest(store))[TABLES.index(table)]
    finally:
        await store.close()
