"""A headless Chromium, for `scripts.frontend` and the tests in tests/browser.

It reaches one host only, so that a page behaves the same with and without a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from .devtools import WAIT_SECONDS, BrowserError, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
STOP_SECONDS = 20.0
MISSING = (
    "no Chromium found, which `make test` needs for tests/browser. Install the package `chromium` "
    "(Debian, Ubuntu: apt-get install chromium), or set CHROMIUM to the path of a Chromium or Chrome."
)


def find_chromium() -> str:
    """The binary that CHROMIUM names, else one on the PATH. Raises BrowserError, which names the package."""
    given = os.environ.get("CHROMIUM", "").strip()
    found = shutil.which(given) if given else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BrowserError(f"CHROMIUM names {given}, which is no program" if given else MISSING)
    return found


@dataclass(frozen=True)
class Chromium:
    """A running browser."""

    port: int
    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession

    @contextlib.contextmanager
    def page(self, url: str = "about:blank") -> Iterator[Page]:
        """A new tab, closed at the end."""
        base = f"http://127.0.0.1:{self.port}/json"
        target = json.loads(self.loop.run_until_complete(_text(self.session.put(f"{base}/new?about:blank"))))
        connect = target["webSocketDebuggerUrl"]
        socket = self.loop.run_until_complete(_socket(self.session, connect))
        page = Page(self.loop, socket)
        try:
            for domain in ("Page", "Runtime", "Log", "Network"):
                page.call(f"{domain}.enable")
            if url != "about:blank":
                page.open(url)
            yield page
        finally:
            self.loop.run_until_complete(socket.close())
            self.loop.run_until_complete(_text(self.session.get(f"{base}/close/{target['id']}")))


@contextlib.contextmanager
def running_chromium(size: tuple[int, int] = (1600, 900), host: str = "127.0.0.1") -> Iterator[Chromium]:
    """Start a browser with a profile of its own that reaches `host` only, stop it at the end.

    `size`: of the window, in pixels. Raises BrowserError.
    """
    binary = find_chromium()
    with tempfile.TemporaryDirectory(prefix="a2v-chromium-", ignore_cleanup_errors=True) as folder:
        profile = Path(folder)
        log = profile / "log"
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]
        flags += [
            "--force-prefers-reduced-motion",
            "--mute-audio",
            "--disable-background-networking",
            "--disable-component-update",
        ]
        flags += [f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE {host}"]
        flags += ["--remote-debugging-port=0", f"--user-data-dir={profile}"]
        flags += [f"--window-size={size[0]},{size[1]}", "about:blank"]
        with open(log, "wb") as stream:
            process = subprocess.Popen([binary, *flags], stdout=stream, stderr=stream)
        loop = asyncio.new_event_loop()
        try:
            port = _devtools_port(profile, process)
            session = loop.run_until_complete(_session())
            try:
                yield Chromium(port, loop, session)
            finally:
                loop.run_until_complete(session.close())
        finally:
            loop.close()
            _stop(process)


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(raise_for_status=True)


async def _socket(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    return await session.ws_connect(url, max_msg_size=0)


async def _text(request: Any) -> str:
    async with request as answer:
        text: str = await answer.text()
        return text


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _devtools_port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + WAIT_SECONDS
    file = profile / "DevToolsActivePort"
    while time.monotonic() < end and process.poll() is None:
        if file.is_file() and (text := file.read_text().strip()):
            return int(text.split()[0])
        time.sleep(0.1)
    raise BrowserError(f"Chromium did not start: {(profile / 'log').read_text(errors='replace')[-2000:]}")
