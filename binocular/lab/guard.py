"""Who may talk to the lab: whoever has the token, at an address that is ours, from a page that we served."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

__all__ = ["Guard"]

_LOCAL = ("127.0.0.1", "localhost", "::1")
_EVERYWHERE = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Guard:
    """Decides about each request.

    Attributes
    ----------
    token
        The secret in the address; None lets everybody in who comes by a right address.
    host
        The address that the server listens at.
    names
        Names of this machine under which it may be called when it listens at all addresses.
    """

    token: str | None
    host: str = "127.0.0.1"
    names: tuple[str, ...] = field(default_factory=lambda: (socket.gethostname().lower(),))

    @property
    def is_local(self) -> bool:
        """Whether only this computer can reach the lab."""
        return self.host in _LOCAL

    def knows(self, token: str | None) -> bool:
        """Whether a token, of the address or of a cookie, is the right one; takes the same time for any wrong one."""
        return self.token is None or hmac.compare_digest((token or "").encode(), self.token.encode())

    def serves(self, host: str | None) -> bool:
        """Whether the ``Host`` header of a request names this server.

        A page elsewhere can let its own name point to 127.0.0.1 and then speak to the lab as if it came from there
        (DNS rebinding). Its name still stands in the header.
        """
        name = _parsed(f"//{host or ''}").hostname or ""
        if name in _LOCAL or name == self.host.lower():
            return True
        return self.host in _EVERYWHERE and (name in self.names or _is_address(name))

    def trusts(self, headers: Mapping[str, str]) -> bool:
        """Whether the page that sends a request or opens a connection was served from here.

        Browsers name the page's origin; what names none is no browser's page, and is refused too.
        """
        origin = headers.get("origin", "")
        return bool(origin) and _parsed(origin).netloc == headers.get("host")


def _parsed(address: str) -> SplitResult:
    """Take an address apart; one that is none has no parts."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
