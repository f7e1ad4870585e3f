"""What registration's decisions need beside the worker's own document: nothing; its routing needs areas and the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.domain.parts import Reference
from services.registration.settings import Settings
from shared.kernel.event import Event, Routed
from shared.reference import areas
from shared.runtime.ports import Reader


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """The areas shipped with the product, and the key of worker ids."""
    return Reference(areas.load(), Settings.from_environment(environ).id_key)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> None:
    """No decision of registration looks beyond its document."""
    return
