"""Drive the real ComfyUI front end in a headless Chromium (a maintainer's tool: nothing else needs one).

    python -m scripts.frontend WORKFLOW.json [--save UI.json] [--api API.json] [--screenshot PICTURE.png]
    python -m scripts.frontend [WORKFLOW.json] --build BUILD.js ...      make or change a graph by JavaScript

Opens the workflow (either format) as a user would and writes what the front end itself saves (UI format),
what it exports for the API, and a picture of the graph. BUILD.js is the body of an async function with
`app` and `LiteGraph` in scope. Needs a Chromium on the PATH, or its path in CHROMIUM.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from a2v_core.headless.server import find_comfyui, running_server
from a2v_core.headless.workflow import is_api, load_workflow

from .chromium import running_chromium
from .devtools import Page

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


def open_frontend(page: Page, url: str) -> None:
    """Open the front end of the server at `url` with an empty graph, ready to use."""
    # A server without saved settings greets a new user with the template browser, over the graph.
    request = urllib.request.Request(f"{url}/api/settings/Comfy.TutorialCompleted", b"true", method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60):
        pass
    page.open(url)
    page.until(READY)
    time.sleep(2.0)
    page.value("app.graph.clear()")


def use(page: Page, url: str, arguments: argparse.Namespace) -> None:
    """Open the front end at `url` and do what the command line asks."""
    open_frontend(page, url)
    if arguments.workflow:
        workflow = load_workflow(arguments.workflow)
        load = "app.loadApiJson({}, 'api')" if is_api(workflow) else "app.loadGraphData({}, true, true)"
        page.value(load.format(json.dumps(workflow)))
        time.sleep(1.0)
    if arguments.build:
        page.value(f"(async () => {{ {arguments.build.read_text(encoding='utf-8')} }})()")
    time.sleep(1.0)
    if arguments.save or (arguments.build and arguments.api):
        saved = json.loads(page.value("JSON.stringify(app.graph.serialize())"))
        # Without a saved view the front end shows the whole graph, whatever the size of the window.
        saved.get("extra", {}).pop("ds", None)
        if arguments.save:
            _write(arguments.save, saved)
        # The export below is that of the file, not of the graph as it was built.
        page.value(f"app.loadGraphData({json.dumps(saved)}, true, true)")
        time.sleep(1.0)
    if arguments.api:
        _write(
            arguments.api,
            json.loads(page.value("app.graphToPrompt().then((p) => JSON.stringify(p.output))")),
        )
    if arguments.screenshot:
        page.value(FIT)
        time.sleep(1.5)
        page.screenshot(arguments.screenshot)


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
    width, height = map(int, arguments.size.split("x"))
    # Also where a time limit ends this process, server and browser go with it.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with contextlib.ExitStack() as stack:
        url = arguments.server or stack.enter_context(running_server(find_comfyui())).url
        browser = stack.enter_context(running_chromium((width, height), urlsplit(url).hostname or ""))
        use(stack.enter_context(browser.page()), url, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
