"""What registration needs beside the document at hand: its features' facts, and the reference data for routing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.compliance import facts as compliance
from services.registration.domain.decide import Facts
from services.registration.intake.domain.state import Reference
from services.registration.participants import facts as participants
from services.registration.settings import Settings
from services.registration.workers import facts as workers
from shared.kernel.event import Event, Routed
from shared.reference import areas, precedence
from shared.reference.precedence import PrecedenceError
from shared.runtime.errors import StartRefused
from shared.runtime.ports import Reader


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """The areas shipped with the product, the key of worker ids, and the regency's precedence of sources.

    Raises StartRefused when the file named by PAYUNG_PRECEDENCE is unusable.
    """
    settings = Settings.from_environment(environ)
    try:
        ranks = precedence.load(settings.precedence)
    except (OSError, PrecedenceError) as error:
        raise StartRefused(f"PAYUNG_PRECEDENCE ({settings.precedence}) cannot be taken: {error}") from error
    return Reference(areas.load(), settings.id_key, ranks)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Looks up what decisions need beyond their own document; most need only the precedence."""
    duties = await compliance.facts(reader, routed, workers.verified)
    answers = await participants.facts(reader, routed, workers.registered)
    return Facts(
        precedence=reference.precedence,
        subsidised=duties.subsidised,
        jobs=duties.jobs,
        rates=duties.rates,
        registered=answers.registered,
    )
