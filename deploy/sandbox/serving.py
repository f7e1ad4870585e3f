"""Runs a stand-in in one process: without access log, with connections that can be reset, with a clean end on SIGTERM.

It does not authenticate callers, so the checks of the services' HTTP edge protect it too: only loopback names, no pages
of other sites, limits on connections and slow bodies. It owns the server and must not know what the stand-in does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from deploy.sandbox.faults import TRANSPORT
from shared.runtime.errors import StartRefused
from shared.runtime.http import edge

# Calls that have not ended after this time are cancelled, so that a stop always ends.
STOP_S = 5


class _Connection(edge.BoundedProtocol):
    """An HTTP connection that gives its transport to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its own base has it
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """Wakes the hanging calls before it stops; otherwise it would wait for them."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing.set()
        await super().shutdown(sockets)


def parser(description: str | None) -> argparse.ArgumentParser:
    """The common arguments of the stand-ins; the description is the first line of a module's docstring."""
    arguments = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--host", default="127.0.0.1")
    return arguments


def leave_on_signals() -> None:
    """From now on SIGTERM and SIGINT end the process with status 0."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    # While uvicorn serves, its own handlers replace these; when it has stopped, it raises the signal again.
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serves until the process is told to stop; ends with 2 when other machines could reach it."""
    environ = {**os.environ, "PAYUNG_AUTH": edge.NONE, edge.HOST: host}
    try:
        edge.check(environ)
    except StartRefused as refused:
        sys.stderr.write(f"{refused}\n")
        raise SystemExit(2) from None
    config = uvicorn.Config(
        edge.Edge(app, environ),
        host=host,
        port=port,
        http=_Connection,
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=STOP_S,
    )
    _Server(config, cast(asyncio.Event, app.state.trouble.closing)).run()
