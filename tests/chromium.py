"""A headless Chromium for tests, driven through its DevTools protocol: open a page, evaluate, press keys, look."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_S, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


class Page:
    """A tab.

    A wait is generous, because machines are slow. But it is so once: what did not come then is missing, and every
    later wait in this tab is short, so that one fault does not make all tests after it wait as long.
    """

    patience = PATIENCE_S

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile are kept."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def go(self, address: str) -> None:
        """Open an address."""
        self.ask("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """Return the value of an expression; a promise is awaited."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return found["result"].get("value")

    def wait(self, condition: str) -> Any:
        """Wait until an expression is true and return its value."""
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            if value := self.evaluate(condition):
                return value
            time.sleep(0.05)
        waited, self.patience = self.patience, min(self.patience, 60.0)
        raise TimeoutError(f"not true within {waited:g} s: {condition}")

    def press(self, key: str, text: str = "") -> None:
        """Press a key where the focus is, for example Tab, Enter, ArrowRight or ' '."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        common = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": codes.get(key, 0)}
        text = text or {"Enter": "\r", " ": " "}.get(key, "")
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def resize(self, width: int, height: int) -> None:
        """Set the size of the window's inside in pixels and wait until the page is laid out in it."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.wait(f"document.documentElement.clientWidth === {width}")

    def upload(self, selector: str, path: Path) -> None:
        """Choose a file in an input."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def picture(self, path: Path) -> None:
        """Write a picture of the whole page."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """Return what the page wrote to the console as errors, and exceptions."""
        self.evaluate("0")
        found = []
        for event in self.events:
            if event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"].get("text", "exception"))
            entry = event["params"].get("entry", {})
            # What the server refused is logged too, as of the network; the tests look at that themselves.
            if event["method"] == "Log.entryAdded" and entry["level"] == "error" and entry["source"] != "network":
                found.append(entry["text"])
        return found

    def requested(self) -> list[str]:
        """Return the addresses that were requested."""
        self.evaluate("0")
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """Start a browser with a fresh profile and yield its tab."""
    from urllib.request import ProxyHandler, build_opener

    from websockets.sync.client import connect

    assert CHROMIUM is not None
    process = subprocess.Popen(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = profile / "DevToolsActivePort"
        wait_until(lambda: told.is_file() and told.read_text().count("\n"), process)
        port = told.read_text().splitlines()[0]
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE_S) as answer:
            tab = next(tab for tab in json.load(answer) if tab["type"] == "page")
        with connect(tab["webSocketDebuggerUrl"], max_size=None, proxy=None) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=PATIENCE_S)
