"""The lab as a small web server: a page, a live connection, downloads and one upload, all behind the guard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from binocular.lab.connections import Complaints, OneLine, known_clients
from binocular.lab.controls import Controls
from binocular.lab.guard import Guard
from binocular.lab.reading import LARGEST_UPLOAD
from binocular.lab.session import Session
from binocular.stimuli.errors import BadInput

__all__ = ["make_app"]

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_READING_SECONDS = 120  # a study takes three seconds of CPU time; a busy laptop gives them slowly
_WAITING_MESSAGES = 500
_LONGEST_TROUBLE = 500  # letters
_PARTS = frozenset(entry.name for entry in (resources.files("binocular.lab") / "page").iterdir())


def make_app(session: Session, guard: Guard, complaints: Complaints | None = None) -> ASGIApp:
    """Return the application.

    Parameters
    ----------
    session
        The lab; its messages go to every page that is open.
    guard
        Who may talk to it.
    complaints
        Where what is not as it should be is told.
    """
    complaints = complaints or Complaints()
    lab = _Lab(session, complaints)
    app = Starlette(
        routes=[
            Route("/", lab.page),
            Route("/page/{name}", lab.part),
            Route("/protocol.toml", lab.protocol),
            Route("/study.h5", lab.study),
            Route("/load", lab.load, methods=["POST"]),
            WebSocketRoute("/live", lab.live),
        ],
        middleware=[Middleware(_Guarded, guard=guard)],
        exception_handlers={BadInput: _refusal},
    )
    return OneLine(app, complaints)


async def _refusal(_request: Request, error: Exception) -> Response:
    return JSONResponse({"refused": str(error)}, status_code=400)


class _Guarded:
    """Turns away what the guard does not let in, before anything else looks at it."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        port = scope["server"][1] if scope.get("server") else 0
        cookie = f"binocular_lab_{port}"  # browsers share cookies between the ports of a host
        given = connection.query_params.get("token")
        problem = self._problem(scope, connection, given or connection.cookies.get(cookie))
        if problem:
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": problem})
                return
            await PlainTextResponse(f"{problem}\n", 403, _HEADERS)(scope, receive, send)
            return
        known_clients.add(scope.get("client"))
        if scope["type"] == "http" and scope["path"] == "/" and given and self._guard.token is not None:
            # The secret leaves the address line: screens are projected, and addresses are remembered.
            moved = RedirectResponse("/", 303, _HEADERS)
            moved.set_cookie(cookie, self._guard.token, httponly=True, samesite="strict")
            await moved(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(k.encode(), v.encode()) for k, v in _HEADERS.items()]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _problem(self, scope: Scope, connection: HTTPConnection, token: str | None) -> str:
        if not self._guard.serves(connection.headers.get("host")):
            return "This is not an address of the lab."
        if not self._guard.knows(token):
            return "Wrong or missing token: open the address that 'binocular lab' printed."
        changes = scope["type"] == "websocket" or scope.get("method") not in ("GET", "HEAD")
        if changes and not self._guard.trusts(connection.headers):
            return "This request comes from another site's page."
        return ""


class _Lab:
    """The pages that are open, and what they ask for."""

    def __init__(self, session: Session, complaints: Complaints) -> None:
        self._session, self._complaints = session, complaints
        self._pages: dict[asyncio.Queue[str | None], asyncio.AbstractEventLoop] = {}
        session.listen = self._tell

    # ---- what is served ----

    async def page(self, _request: Request) -> Response:
        """Serve the page itself."""
        return _part("index.html")

    async def part(self, request: Request) -> Response:
        """Serve a style sheet or script of the page."""
        return _part(request.path_params["name"])

    async def protocol(self, _request: Request) -> Response:
        """Give the history as a protocol, to be kept."""
        protocol = await asyncio.wrap_future(self._session.saved_protocol())
        return _download(protocol.to_toml().encode(), "application/toml", "lab.toml")

    async def study(self, _request: Request) -> Response:
        """Give the subjects as a study, to be kept."""
        with tempfile.TemporaryDirectory(prefix="binocular-lab-") as folder:
            path = await asyncio.wrap_future(self._session.save_study(Path(folder)))
            content = await run_in_threadpool(path.read_bytes)
        return _download(content, "application/x-hdf5", "study.h5")

    async def load(self, request: Request) -> Response:
        """Take a study that somebody brings and answer with its tracks, or one sentence why not."""
        given = request.query_params.get("name", "")[:80]
        name = "".join(letter for letter in given if letter.isprintable()) or "the file"
        with tempfile.TemporaryDirectory(prefix="binocular-lab-") as folder:
            path = Path(folder) / "brought.h5"
            size = 0
            try:
                with path.open("wb") as file:
                    async for piece in request.stream():
                        size += len(piece)
                        if size > LARGEST_UPLOAD:
                            raise BadInput(
                                f"{name} is larger than {LARGEST_UPLOAD // 1_000_000} MB; expected a study.h5"
                            )
                        file.write(piece)
            except ClientDisconnect:
                self._complaints.tell(f"{name} broke off after {size} bytes")
                return Response(status_code=400)
            return Response(await _read(path, name), media_type="application/json")

    async def live(self, socket: WebSocket) -> None:
        """Keep a live connection: tell everything so far, then each message, and do what the page asks for."""
        await socket.accept()
        waiting: asyncio.Queue[str | None] = asyncio.Queue()
        # Messages wait from before the greeting is made: none is lost, and the page sees an age twice at worst.
        self._pages[waiting] = asyncio.get_running_loop()
        try:
            hello = await asyncio.wrap_future(self._session.hello())
            await socket.send_text(json.dumps(hello, allow_nan=False))
            sending = asyncio.create_task(_send(socket, waiting))
            try:
                while True:
                    await self._do(socket, await _text_of(socket))
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                    await sending
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self._pages.pop(waiting, None)

    # ---- what is told and done ----

    def _tell(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, allow_nan=False)
        for waiting, loop in list(self._pages.items()):
            # A page that no longer takes messages is let go; it asks for everything when it comes back.
            over = waiting.qsize() > _WAITING_MESSAGES
            with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
                loop.call_soon_threadsafe(waiting.put_nowait, None if over else text)

    async def _do(self, socket: WebSocket, text: str) -> None:
        try:
            message = json.loads(text)
            if not isinstance(message, dict) or message.get("do") not in _MESSAGES:
                raise BadInput(f"the page asked for something unknown; accepted: {', '.join(_MESSAGES)}")
            await asyncio.wrap_future(_MESSAGES[message["do"]](self._session, message))
        except (BadInput, KeyError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            await socket.send_text(json.dumps({"type": "trouble", "text": str(error)[:_LONGEST_TROUBLE]}))


async def _text_of(socket: WebSocket) -> str:
    """Receive a text; what comes as bytes is not from our page, and says nothing."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    return message.get("text") or ""


def _whole(message: dict[str, Any], key: str) -> int | None:
    value = message.get(key)
    if value is not None and type(value) is not int:
        raise BadInput(f"{key}: {value!r} is not a whole number")
    return value


_MESSAGES: dict[str, Callable[[Session, dict[str, Any]], Future[Any]]] = {
    "controls": lambda session, message: session.set_controls(Controls.checked(message.get("controls"))),
    "play": lambda session, message: session.play(),
    "pause": lambda session, message: session.pause(),
    "step": lambda session, message: session.step(),
    "speed": lambda session, message: session.set_speed(float(message["seconds"])),
    "restart": lambda session, message: session.restart(_whole(message, "seed")),
    "littermate": lambda session, message: session.littermate(),
    "choose": lambda session, message: session.choose(str(message.get("name"))),
    "experiment": lambda session, message: session.experiment(str(message.get("name"))),
}


async def _send(socket: WebSocket, waiting: asyncio.Queue[str | None]) -> None:
    while (text := await waiting.get()) is not None:
        await socket.send_text(text)
    await socket.close(1013)


async def _read(path: Path, name: str) -> bytes:
    """Read a study in a process of its own; see `binocular.lab.reading`."""
    command = [sys.executable, "-m", "binocular.lab.reading", str(path), name]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    reading: Awaitable[tuple[bytes, bytes]] = process.communicate()
    try:
        content, _ = await asyncio.wait_for(reading, _READING_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise BadInput(f"{name} could not be read within {_READING_SECONDS} s") from None
    if process.returncode != 0:
        raise BadInput(f"{name} cannot be read; expected a study.h5 written by binocular")
    answer = json.loads(content)
    if "refused" in answer:
        raise BadInput(answer["refused"])
    return content


def _part(name: str) -> Response:
    kind = _TYPES.get(Path(name).suffix)
    if kind is None or name not in _PARTS:
        return PlainTextResponse("There is no such page.\n", 404)
    file = resources.files("binocular.lab") / "page" / name
    return Response(file.read_bytes(), media_type=f"{kind}; charset=utf-8")


def _download(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
