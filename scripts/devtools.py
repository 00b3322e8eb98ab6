"""One tab of a browser over the DevTools protocol: mouse, keys, pictures and complaints."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

WAIT_SECONDS = 120.0
_BUTTONS = {"none": 0, "left": 1, "right": 2}


class BrowserError(RuntimeError):
    """There is no browser, it did not start, or a page did not do what was asked in time."""


@dataclass(frozen=True)
class Problem:
    """Something a page complained about. `kind`: console, exception, log, request; `url`: of what."""

    kind: str
    text: str
    url: str = ""


@dataclass
class Page:
    """One tab. Every call returns when the browser has answered; `problems` grows meanwhile."""

    loop: asyncio.AbstractEventLoop
    socket: aiohttp.ClientWebSocketResponse
    problems: list[Problem] = field(default_factory=list)
    dragged: list[dict[str, Any]] = field(default_factory=list)
    choosers: list[int] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _urls: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result."""
        return self.loop.run_until_complete(self._call(method, parameters))

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise; of an element there is none."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def open(self, url: str) -> None:
        """Go to an address and wait until the page has loaded."""
        answer = self.call("Page.navigate", url=url)
        if answer.get("errorText"):
            raise BrowserError(f"{url}: {answer['errorText']}")
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def until(self, expression: str, seconds: float = WAIT_SECONDS) -> Any:
        """Wait until the expression is true; its value then. What throws counts as not yet."""
        end = time.monotonic() + seconds
        guarded = f"(async () => {{ try {{ return await ({expression}) }} catch {{ return null }} }})()"
        while not (value := self.value(guarded)):
            if time.monotonic() > end:
                raise BrowserError(f"after {seconds:.0f} s the page is still not at: {expression}")
            time.sleep(0.1)
        return value

    def screenshot(self, path: Path) -> Path:
        """The visible part of the page as a PNG."""
        picture = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(picture["data"]))
        return path

    def move(self, x: float, y: float, button: str = "none") -> None:
        """Move the mouse, with a button held down if one is named."""
        self._mouse("mouseMoved", x, y, button)

    def click(self, x: float, y: float, count: int = 1, button: str = "left") -> None:
        """Click `count` times at a place in CSS pixels."""
        self.move(x, y)
        for number in range(1, count + 1):
            self._mouse("mousePressed", x, y, button, number)
            self._mouse("mouseReleased", x, y, button, number)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag with the left button; what the page hands out (HTML drag and drop) is carried along."""
        self.call("Input.setInterceptDrags", enabled=True)
        self.dragged.clear()
        self.move(*start)
        self._mouse("mousePressed", *start, "left", 1)
        for part in (0.05, 0.1, 0.5, 0.9, 1.0):
            x, y = (a + part * (b - a) for a, b in zip(start, end, strict=True))
            self.move(x, y, "left")
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if self.dragged:
            for kind in ("dragEnter", "dragOver", "drop"):
                self.call("Input.dispatchDragEvent", type=kind, x=end[0], y=end[1], data=self.dragged[-1])
        self._mouse("mouseReleased", *end, "left", 1)
        self.call("Input.setInterceptDrags", enabled=False)

    def choose_file(self, place: tuple[float, float], path: Path) -> None:
        """Click on what opens the browser's file chooser, and choose a file."""
        self.call("Page.setInterceptFileChooserDialog", enabled=True)
        self.choosers.clear()
        self.click(*place)
        end = time.monotonic() + WAIT_SECONDS
        while not self.choosers:
            if time.monotonic() > end:
                raise BrowserError(f"no file chooser opened at {place}")
            self.value("0")
        self.call("DOM.setFileInputFiles", files=[str(path)], backendNodeId=self.choosers[-1])
        self.call("Page.setInterceptFileChooserDialog", enabled=False)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key: str, code: int) -> None:
        """Press a named key, such as Enter (13) or Escape (27)."""
        facts = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **facts, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    def _mouse(self, kind: str, x: float, y: float, button: str, count: int = 0) -> None:
        held = 0 if kind == "mouseReleased" else _BUTTONS[button]
        self.call(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, buttons=held, clickCount=count
        )

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self.socket.receive(WAIT_SECONDS)
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise BrowserError(f"the browser went away during {method}: {message.data!r}")
            answer = json.loads(message.data)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            if "method" in answer:
                await self._note(answer["method"], answer["params"])

    async def _note(self, event: str, facts: dict[str, Any]) -> None:
        if event == "Runtime.consoleAPICalled" and facts["type"] in ("error", "assert"):
            parts = [str(part.get("value", part.get("description", ""))) for part in facts["args"]]
            self.problems.append(Problem("console", " ".join(parts)))
        elif event == "Runtime.exceptionThrown":
            details = facts["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details["text"]
            self.problems.append(Problem("exception", text, details.get("url", "")))
        elif event == "Log.entryAdded" and facts["entry"]["level"] == "error":
            self.problems.append(Problem("log", facts["entry"]["text"], facts["entry"].get("url", "")))
        elif event == "Network.requestWillBeSent":
            self._urls[facts["requestId"]] = facts["request"]["url"]
        elif event == "Network.loadingFailed" and not facts.get("canceled"):
            url = self._urls.get(facts["requestId"], "")
            self.problems.append(Problem("request", facts["errorText"], url))
        elif event == "Network.responseReceived" and facts["response"]["status"] >= 400:
            answer = facts["response"]
            self.problems.append(Problem("request", str(answer["status"]), answer["url"]))
        elif event == "Input.dragIntercepted":
            self.dragged.append(facts["data"])
        elif event == "Page.fileChooserOpened":
            self.choosers.append(facts["backendNodeId"])
        elif event == "Page.javascriptDialogOpening":
            # Nobody is there to answer, and the page waits: say yes.
            accept = {"id": next(self._numbers), "method": "Page.handleJavaScriptDialog"}
            await self.socket.send_json({**accept, "params": {"accept": True}})
