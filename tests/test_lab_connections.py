"""What comes to the lab and is not from its page: one line each in the terminal, and no connection is kept for it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from binocular.lab import connections
from binocular.lab.connections import Complaints
from binocular.lab.guard import Guard
from binocular.lab.serving import server_of
from tests.patience import PATIENCE_S, wait_until

TOKEN = "the-secret"


class Silent:
    """A session that says hello and refuses with a long sentence."""

    listen: Callable[..., Any] | None = None

    def hello(self) -> Future[dict[str, str]]:
        answer: Future[dict[str, str]] = Future()
        answer.set_result({"type": "hello"})
        return answer

    def choose(self, name: str) -> Future[None]:
        raise ValueError(f"there is no subject {name}")

    set_speed = choose


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "PATIENCE_S", PATIENCE_S)  # on a busy machine a request takes as long as it takes
    listening = socket.create_server(("127.0.0.1", 0))
    server = server_of(Silent(), Guard(TOKEN), Complaints())  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def ask(port: int, request: str, rest: bytes = b"", host: str | None = None) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(f"{request}\r\nHost: {host or f'127.0.0.1:{port}'}\r\n".encode() + rest + b"\r\n")
    return connection


def everything(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    with connection:
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def live(port: int) -> socket.socket:
    key = base64.b64encode(os.urandom(16)).decode()
    headers = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    headers += f"Origin: http://127.0.0.1:{port}\r\n"
    connection = ask(port, f"GET /live?token={TOKEN} HTTP/1.1", headers.encode())
    found = b""
    while b"hello" not in found:
        more = connection.recv(1 << 16)
        if not more:
            raise ConnectionResetError("closed before the hello")
        found += more
    return connection


def frame(kind: int, content: bytes) -> bytes:
    """Return one masked frame of a websocket; the mask is 0."""
    length = bytes([0x80 | len(content)]) if len(content) < 126 else b"\xfe" + len(content).to_bytes(2, "big")
    return bytes([0x80 | kind]) + length + bytes(4) + content


@pytest.mark.parametrize("host", ["[", "[::1", "a]b", "\u00e9" * 40])
def test_a_host_that_is_none_is_turned_away(port: int, capfd: pytest.CaptureFixture[str], host: str):
    assert b" 403 " in everything(ask(port, "GET / HTTP/1.1", b"Connection: close\r\n", host)).split(b"\r\n")[0]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "begun", [b"", b"GET / HT", b"POST /load HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"]
)
def test_who_shows_no_token_is_closed(port: int, monkeypatch: pytest.MonkeyPatch, begun: bytes):
    monkeypatch.setattr(connections, "PATIENCE_S", 0.5)
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(begun)
    with contextlib.suppress(ConnectionResetError):
        everything(connection)


def test_who_has_the_token_stays(port: int, monkeypatch: pytest.MonkeyPatch):
    stays = None
    for patience in (0.5, 4, 32):
        monkeypatch.setattr(connections, "PATIENCE_S", patience)
        with contextlib.suppress(ConnectionResetError):  # too slow to show it in that time
            stays = live(port)
            break
    assert stays is not None
    stranger = socket.create_connection(("127.0.0.1", port), timeout=60)
    with stranger, contextlib.suppress(ConnectionResetError):
        assert stranger.recv(1) == b""
    stays.sendall(frame(1, b'{"do": "choose", "name": "x"}'))
    assert b"there is no subject x" in stays.recv(1 << 16)
    stays.close()


WISHES = [
    (2, b"\x00\xff binary"),
    (1, b"[" * 30_000),
    (1, b"{}"),
    (1, json.dumps({"do": "speed", "seconds": "1e999x"}).encode()),
]


@pytest.mark.parametrize(("kind", "content"), WISHES, ids=["binary", "deep", "nothing", "no number"])
def test_a_message_that_is_no_wish_is_answered(port: int, capfd: pytest.CaptureFixture[str], kind: int, content: bytes):
    with live(port) as connection:
        connection.sendall(frame(kind, content))
        assert b'"trouble"' in connection.recv(1 << 16)
        connection.sendall(frame(1, json.dumps({"do": "choose", "name": "x" * 20_000}).encode()))
        assert len(connection.recv(1 << 16)) < 1000
    assert capfd.readouterr().err == ""


def test_an_upload_that_breaks_off_is_one_line(port: int, capfd: pytest.CaptureFixture[str]):
    headers = f"Origin: http://127.0.0.1:{port}\r\nContent-Length: 1000\r\n".encode()
    told = ""
    for number in (1, 2):
        connection = ask(port, f"POST /load?token={TOKEN}&name=my%00%0Astudy HTTP/1.1", headers)
        connection.sendall(b"x" * 10)
        connection.close()
        lines: list[str] = []
        wait_until(lambda lines=lines: lines.append(capfd.readouterr().err) or "\n" in "".join(lines))
        told += "".join(lines)
        assert told.count("\n") == number
    assert "Traceback" not in told and "(2 so far): mystudy broke off" in told


@pytest.mark.parametrize("name", ["x" * 5000, "%00", "..%2Fserver.py", "lab.js%00", "%FF"])
def test_a_name_of_any_length_is_no_page(port: int, capfd: pytest.CaptureFixture[str], name: str):
    found = everything(ask(port, f"GET /page/{name}?token={TOKEN} HTTP/1.1", b"Connection: close\r\n"))
    assert b" 404 " in found.split(b"\r\n")[0]
    assert capfd.readouterr().err == ""
