"""Drive the real ComfyUI front end in a headless Chromium (a maintainer's tool: nothing else needs one).

    python -m scripts.frontend WORKFLOW.json [--save UI.json] [--api API.json] [--screenshot PICTURE.png]
    python -m scripts.frontend [WORKFLOW.json] --build BUILD.js ...      make or change a graph by JavaScript

Opens the workflow (either format) as a user would and writes what the front end itself saves (UI format),
what it exports for the API, and a picture of the graph. BUILD.js is the body of an async function with
`app` and `LiteGraph` in scope. Needs a Chromium on the PATH, or its path in CHROMIUM.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

from a2v_core.headless.server import find_comfyui, running_server
from a2v_core.headless.workflow import is_api, load_workflow

LOAD_SECONDS = 120.0
READY = "!!(window.app && app.graph && app.canvas && LiteGraph.registered_node_types['SaveImage'])"
FIT = """(async () => {
    const set = (name, value) => app.extensionManager.setting.set(name, value);
    for (const name of ['Comfy.Minimap.Visible', 'Comfy.Graph.CanvasInfo', 'Comfy.Graph.CanvasMenu'])
        await set(name, false);
    await set('LiteGraph.Canvas.MinFontSizeForLOD', 0);
    await app.extensionManager.command.execute('Workspace.ToggleFocusMode');
    app.canvas.selectItems();
    app.canvas.fitViewToSelectionAnimated({duration: 1});
    await new Promise((done) => setTimeout(done, 500));
    app.canvas.deselectAll();
    app.canvas.setDirty(true, true);
})()"""


class Page:
    """One tab of a browser, spoken to over the DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.numbers = itertools.count(1)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self.numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer = await self.socket.receive_json()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    async def value(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")


async def drive(url: str, arguments: argparse.Namespace) -> None:
    """Open the front end at `url` and do what the command line asks."""
    binary = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not binary:
        raise SystemExit("no Chromium found: install one or set CHROMIUM to its path")
    with tempfile.TemporaryDirectory(prefix="a2v-chromium-", ignore_cleanup_errors=True) as profile:
        width, height = arguments.size.split("x")
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]
        flags += [
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
        ]
        log = Path(profile) / "log"
        with open(log, "wb") as stream:
            browser = subprocess.Popen([binary, *flags, "about:blank"], stdout=stream, stderr=stream)
        try:
            port = await _devtools_port(Path(profile))
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = [page for page in await answer.json() if page["type"] == "page"]
                socket_url = pages[0]["webSocketDebuggerUrl"]
                async with session.ws_connect(socket_url, max_msg_size=0) as socket:
                    await _use(Page(socket), url, arguments)
        finally:
            browser.terminate()
            browser.wait(20)


async def _use(page: Page, url: str, arguments: argparse.Namespace) -> None:
    # A server without saved settings greets a new user with the template browser, over the graph.
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        await session.post(f"{url}/api/settings/Comfy.TutorialCompleted", json=True)
    await page.call("Page.enable")
    await page.call("Page.navigate", url=url)
    await _until(page, READY)
    await asyncio.sleep(2.0)
    await page.value("app.graph.clear()")
    if arguments.workflow:
        workflow = load_workflow(arguments.workflow)
        load = "app.loadApiJson({}, 'api')" if is_api(workflow) else "app.loadGraphData({}, true, true)"
        await page.value(load.format(json.dumps(workflow)))
        await asyncio.sleep(1.0)
    if arguments.build:
        await page.value(f"(async () => {{ {arguments.build.read_text(encoding='utf-8')} }})()")
    await asyncio.sleep(1.0)
    if arguments.save or (arguments.build and arguments.api):
        saved = json.loads(await page.value("JSON.stringify(app.graph.serialize())"))
        if arguments.save:
            _write(arguments.save, saved)
        # The export below is that of the file, not of the graph as it was built.
        await page.value(f"app.loadGraphData({json.dumps(saved)}, true, true)")
        await asyncio.sleep(1.0)
    if arguments.api:
        _write(
            arguments.api,
            json.loads(await page.value("app.graphToPrompt().then((p) => JSON.stringify(p.output))")),
        )
    if arguments.screenshot:
        await page.value(FIT)
        await asyncio.sleep(1.5)
        picture = await page.call("Page.captureScreenshot", format="png")
        arguments.screenshot.write_bytes(base64.b64decode(picture["data"]))


async def _devtools_port(profile: Path) -> int:
    for _ in range(300):
        file = profile / "DevToolsActivePort"
        if file.is_file() and file.read_text().strip():
            return int(file.read_text().split()[0])
        await asyncio.sleep(0.1)
    raise RuntimeError(f"Chromium did not start: {(profile / 'log').read_text(errors='replace')[-2000:]}")


async def _until(page: Page, expression: str) -> None:
    for _ in range(int(LOAD_SECONDS / 0.5)):
        if await page.value(f"(() => {{ try {{ return {expression} }} catch {{ return false }} }})()"):
            return
        await asyncio.sleep(0.5)
    raise RuntimeError(f"the front end was not ready after {LOAD_SECONDS:.0f} s")


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.frontend", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("workflow", nargs="?", type=Path)
    parser.add_argument("--build", type=Path, help="a JavaScript file that makes or changes the graph")
    parser.add_argument("--save", type=Path, help="write what the front end saves")
    parser.add_argument("--api", type=Path, help="write what the front end exports for the API")
    parser.add_argument("--screenshot", type=Path, help="write a picture of the graph (PNG)")
    parser.add_argument("--size", default="1600x900", help="of the window, in pixels")
    parser.add_argument("--server", help="use this server instead of starting one")
    arguments = parser.parse_args()
    if not (arguments.workflow or arguments.build):
        parser.error("give a workflow, --build or both")
    if arguments.server:
        asyncio.run(drive(arguments.server, arguments))
    else:
        with running_server(find_comfyui()) as server:
            asyncio.run(drive(server.url, arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
