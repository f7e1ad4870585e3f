"""What decisions on BPJS's answers need beside their document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from services.registration.participants.domain.forms import Answered
from services.registration.participants.domain.state import Facts
from shared.kernel.event import Event, Routed
from shared.runtime.ports import Reader

# Which of these workers are registered. The workers are another feature, so the service passes its answer in.
Registered = Callable[[Reader, Collection[str]], Awaitable[frozenset[str]]]


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], registered: Registered) -> Facts:
    """Looks up which workers are registered, for a batch that has answers."""
    asked = {one.data.worker_id for one, _ in routed if isinstance(one.data, Answered)}
    return Facts(registered=await registered(reader, asked)) if asked else Facts()
