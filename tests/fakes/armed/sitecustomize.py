"""Python imports this file at its start in a process that has a failpoint (tests/fakes/failpoints.py)."""

from __future__ import annotations

import os
import traceback

try:
    from tests.fakes import failpoints

    failpoints.arm(os.environ)
except BaseException:  # noqa: BLE001  # Python would only report it and go on without the failpoint
    traceback.print_exc()
    os._exit(70)
