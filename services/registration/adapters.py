"""The due work of registration's features."""

from __future__ import annotations

from collections.abc import Mapping

from services.registration.compliance import adapters as compliance
from services.registration.workers import adapters as workers
from shared.runtime.spec import Performer

PERFORMERS: Mapping[str, Performer] = {**workers.PERFORMERS, **compliance.PERFORMERS}
