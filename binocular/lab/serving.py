"""Starting the lab: an address, a token, a browser."""

from __future__ import annotations

import logging
import secrets
import socket
import sys
import webbrowser
from importlib.util import find_spec
from typing import TYPE_CHECKING

from binocular.stimuli.errors import BadInput

if TYPE_CHECKING:
    import uvicorn

    from binocular.lab.connections import Complaints
    from binocular.lab.guard import Guard
    from binocular.lab.session import Session
    from binocular.protocols import Protocol

__all__ = ["PORT", "serve", "server_of"]

PORT = 8765
_NEEDED = ("starlette", "uvicorn", "websockets")


def serve(
    protocol: Protocol | None = None,
    seed: int = 0,
    host: str = "127.0.0.1",
    port: int = PORT,
    use_token: bool = True,
    open_browser: bool = True,
) -> None:
    """Serve the lab until it is interrupted.

    Parameters
    ----------
    protocol, seed
        As for `binocular.lab.Session`.
    host
        Address to listen at; anything but this computer's own lets others in, of which a warning is printed.
    port
        Port to listen at; 0 takes a free one.
    use_token
        Ask for a secret that stands in the printed address.
    open_browser
        Open the page in the browser.

    Raises
    ------
    BadInput
        If the lab is not installed, or the address cannot be had.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise BadInput(
            f"the lab needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            f"pip install {' '.join(missing)}"
        )
    from binocular.lab.session import Session

    with _listen(host, port) as listening:
        session = Session(protocol, seed)
        try:
            _serve(session, listening, host, use_token, open_browser)
        finally:
            session.close()


def _serve(session: Session, listening: socket.socket, host: str, use_token: bool, open_browser: bool) -> None:
    from binocular.lab.connections import Complaints
    from binocular.lab.guard import Guard

    guard = Guard(secrets.token_urlsafe(24) if use_token else None, host)
    address = _address(host, listening.getsockname()[1], guard.token)
    print(f"The lab is open at {address}", flush=True)
    print(
        "Only this computer can open it." if guard.is_local else f"Every computer that reaches {host} can open it.",
        "The token in the address is the key: share the whole address, or nobody else gets in."
        if use_token
        else "No token is asked for: everybody who can reach the address can work the lab.",
        "Ctrl-C closes it.",
        sep="\n",
        flush=True,
    )
    if not guard.is_local or not use_token:
        print(
            "binocular: warning: the connection is not encrypted, and whoever gets in can make this computer work",
            file=sys.stderr,
        )
    if open_browser:
        webbrowser.open(address)
    server_of(session, guard, Complaints()).run(sockets=[listening])


def server_of(session: Session, guard: Guard, complaints: Complaints) -> uvicorn.Server:
    """Return the server of a session, which tells its complaints and nothing else.

    Parameters
    ----------
    session
        The lab.
    guard
        Who may connect.
    complaints
        Where it says what went wrong.
    """
    import uvicorn

    from binocular.lab.connections import Impatient
    from binocular.lab.server import make_app

    for name in ("uvicorn.error", "websockets", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [complaints], False
        logger.setLevel(logging.ERROR)
    config = uvicorn.Config(
        make_app(session, guard, complaints),
        http=Impatient,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=1 << 16,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise BadInput(f"--port: {port} is not a port; accepted: 1 to 65535, or 0 for a free one")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise BadInput(
            f"--host {host} --port {port}: cannot be listened at ({error.strerror or error}); "
            "name another port, or 0 for a free one"
        ) from None
    return listening


def _address(host: str, port: int, token: str | None) -> str:
    shown = "127.0.0.1" if host in ("", "0.0.0.0") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
