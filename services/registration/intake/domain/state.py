"""What all intake forms share: who sent one, how it is refused, and what routing needs. Defines shapes only."""

from __future__ import annotations

from dataclasses import field

from shared.kernel.values import value
from shared.reference import precedence
from shared.reference.areas import Areas
from shared.reference.precedence import Precedence


@value(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A submission that was refused for its form alone. The document exists to remember the answer."""

    submission_id: str | None
    reasons: tuple[str, ...]


@value(frozen=True, slots=True)
class Reference:
    """What routing needs: the areas and the key that names workers. Decisions also use `precedence`: which agency
    outranks which.
    """

    areas: Areas
    id_key: bytes
    precedence: Precedence = field(default_factory=precedence.shipped)


@value(frozen=True, slots=True, kw_only=True)
class Sender:
    """The sender of a submission, its number there, and the worker it concerns (empty when the form names none).

    `submission` is the keyed name of the number, for readers outside the agency. An empty agency means that there is
    nobody to answer.
    """

    regency: str
    agency: str
    submission_id: str | None
    worker_id: str = ""
    submission: str = ""


@value(frozen=True, slots=True, kw_only=True)
class RefusedSubmission:
    """A submission whose form cannot be accepted; `warnings` may say what was probably meant."""

    sender: Sender
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()
