"""Why the broker turns our clients away. aiokafka says it to its log only, and raises that it could not connect.

A wrong password or an expired certificate mends itself as little by waiting as by starting again: the operator must
read it in the one line that a service leaves. Knows no client and no connection; only what aiokafka logs.
"""

from __future__ import annotations

import logging
import ssl

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from shared.runtime import clock

# A client that is turned away tries again within seconds: what is older is over.
_FRESH_S = 60.0
_REFUSALS = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
)


class _Listener(logging.Handler):
    """Keeps the last refusal and when it was; everything else passes it by."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last: tuple[float, str] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """One line of aiokafka's; what it is about stands at its end."""
        error = record.args[-1] if isinstance(record.args, tuple) and record.args else None
        if isinstance(error, _REFUSALS):
            self.last = clock.monotonic(), f"{type(error).__name__}: {error}".replace("\n", " ")


_listener = _Listener()


def listen() -> None:
    """From now on. The lines go no further: while a broker is away there is one for every try of every connection."""
    logger = logging.getLogger("aiokafka")
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    if _listener not in logger.handlers:
        logger.addHandler(_listener)


def reason() -> str:
    """What the broker refused us for just now, to be put behind what is said; empty when it did not."""
    if _listener.last is None or clock.monotonic() - _listener.last[0] > _FRESH_S:
        return ""
    return f" ({_listener.last[1]})"
