"""Keeps the reason why the broker refuses our clients. aiokafka only logs it, and raises that it could not connect.

Waiting or a restart does not mend a wrong password or an expired certificate. So the operator must find the reason in
the one line that a service leaves. This module knows no client and no connection, only what aiokafka logs.
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
from shared.runtime.kafka.tokens import NoToken

# A refused client tries again within seconds, so an older refusal no longer applies.
_FRESH_S = 60.0
_REFUSALS = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    ssl.SSLError,
    NoToken,
)


class _Listener(logging.Handler):
    """Keeps the last refusal and its time; ignores all other lines."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last: tuple[float, str] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Takes one log line of aiokafka; the error is its last argument."""
        error = record.args[-1] if isinstance(record.args, tuple) and record.args else None
        # With TLS 1.3 a broker refuses a client's certificate only after the connection is open: then the refusal is
        # the cause of a connection that broke.
        if not isinstance(error, _REFUSALS) and isinstance(error, BaseException):
            error = error.__cause__
        if isinstance(error, _REFUSALS):
            self.last = clock.monotonic(), f"{type(error).__name__}: {error}".replace("\n", " ")


_listener = _Listener()


def listen() -> None:
    """Starts to listen. The lines are not passed on: while a broker is away, every attempt of every connection logs
    one."""
    logger = logging.getLogger("aiokafka")
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    if _listener not in logger.handlers:
        logger.addHandler(_listener)


def reason() -> str:
    """Why the broker refused us in the last minute, as a text to append to a message; empty when it did not refuse."""
    if _listener.last is None:
        return ""
    at_s, text = _listener.last
    return f" ({text})" if clock.monotonic() - at_s <= _FRESH_S else ""
