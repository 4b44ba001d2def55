"""Connections of the lab that are not as they should be: turned away soon, and told in one line with their number."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["PATIENCE_S", "Complaints", "Impatient", "OneLine", "known_clients"]

PATIENCE_S = 10.0
"""Seconds in which whoever connects has to show the token."""

known_clients: set[Any] = set()
"""Address and port of the connections that came with the token."""


class Impatient(H11Protocol):
    """HTTP that closes a connection on which nothing with the token has come for some seconds, whatever else came."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        known_clients.discard(self.client)  # of an earlier connection from the same port
        asyncio.get_running_loop().call_later(PATIENCE_S, self._close_a_stranger, transport, self.client)

    @staticmethod
    def _close_a_stranger(transport: asyncio.Transport, client: Any) -> None:
        if client not in known_clients:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget who it was, unless the connection lives on as a live one."""
        super().connection_lost(exc)
        known_clients.discard(self.client)


class Complaints(logging.Handler):
    """Prints each complaint as one line on standard error, with how many there have been."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Print the message without the place in the code."""
        error = record.exc_info[1] if record.exc_info else None
        self.tell(error if isinstance(error, Exception) else record.getMessage())

    def tell(self, what: Exception | str) -> None:
        """Print one line."""
        self.count += 1
        text = f"{type(what).__name__}: {what}" if isinstance(what, Exception) else what
        line = "".join(letter if letter.isprintable() else " " for letter in text)[:200].strip()
        number = "" if self.count == 1 else f" ({self.count} so far)"
        print(f"binocular: the lab turned something away{number}: {line}", file=sys.stderr, flush=True)


class OneLine:
    """The lab's application; what fails in it is a complaint, and the connection is closed."""

    def __init__(self, app: ASGIApp, complaints: Complaints) -> None:
        self._app, self._complaints = app, complaints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; a fault has been answered with an error by then where that was possible."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._complaints.tell(error)
            if scope["type"] == "websocket":
                await _close(send)


async def _close(send: Send) -> None:
    try:
        await send({"type": "websocket.close", "code": 1003})
    except Exception:  # closed already, or never opened
        return
