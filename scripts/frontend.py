"""Drive the real ComfyUI front end in a headless Chromium (a maintainer's tool: nothing else needs one).

    python -m scripts.frontend WORKFLOW.json [--save UI.json] [--api API.json] [--screenshot PICTURE.png]
    python -m scripts.frontend [WORKFLOW.json] --build BUILD.js ...      make or change a graph by JavaScript
    python -m scripts.frontend --build BUILD.js --blueprint NAME.json  publish the chosen subgraph

Opens the workflow (either format) as a user would and writes what the front end itself saves (UI format),
what it exports for the API, and a picture of the graph. BUILD.js is the body of an async function with
`app`, `LiteGraph` and the functions of workflow_helpers.js in scope. Needs a browser: `python -m
scripts.browser` says which, or gets one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from playwright.sync_api import Page

from a2v_core.headless.server import find_comfyui, running_server
from a2v_core.headless.workflow import is_api, load_workflow

from .browser import new_page, running_browser

HELPERS = Path(__file__).with_name("workflow_helpers.js")  # for builds
# A server without saved settings opens the template browser over the graph, and a tour over an App.
QUIET = {"Comfy.TutorialCompleted": True, "Comfy.OnboardingCoachmarks.Seen": ["appMode", "firstRun"]}
# The page shows its first graph: its start-up is complete.
READY = """window.app?.graph && app.canvas && LiteGraph.registered_node_types['SaveImage']
    && app.extensionManager?.workflow?.activeWorkflow?.isLoaded"""
# Ends when graph and viewport have not changed for ten rendered frames.
STILL = """(async () => {
    const view = app.canvas.ds;
    const seen = () => JSON.stringify([[...view.offset], view.scale, app.graph.serialize()]);
    for (let before = ''; before !== seen(); ) {
        before = seen();
        app.canvas.setDirty(true, true);
        for (let count = 0; count < 10; count += 1) await new Promise((done) => requestAnimationFrame(done));
    }
    return true;
})()"""
FIT = """(async () => {
    const set = (name, value) => app.extensionManager.setting.set(name, value);
    for (const name of ['Comfy.Minimap.Visible', 'Comfy.Graph.CanvasInfo', 'Comfy.Graph.CanvasMenu'])
        await set(name, false);
    await set('LiteGraph.Canvas.MinFontSizeForLOD', 0);
    await app.extensionManager.command.execute('Workspace.ToggleFocusMode');
    app.canvas.selectItems();
    app.canvas.fitViewToSelectionAnimated({duration: 1});
})()"""


def open_frontend(page: Page, url: str) -> None:
    """Open the front end of the server at `url` with an empty graph, ready to use."""
    for name, value in QUIET.items():
        request = urllib.request.Request(
            f"{url}/api/settings/{name}", json.dumps(value).encode(), method="POST"
        )
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60):
            pass
    page.goto(url)
    page.wait_for_function(READY)
    page.evaluate("app.graph.clear()")


def settle(page: Page) -> None:
    """Wait until the graph has been drawn and no longer changes."""
    page.wait_for_function(STILL)


def fit(page: Page) -> None:
    """Fit the view to the graph and hide the panels."""
    page.evaluate(FIT)
    settle(page)
    page.evaluate("app.canvas.deselectAll()")
    settle(page)


def publish(page: Page) -> Any:
    """Publish the chosen subgraph under its own name; what the front end stores of it."""
    name = page.evaluate("[...app.canvas.selectedItems][0].title")
    page.evaluate("void app.extensionManager.command.execute('Comfy.PublishSubgraph')")
    page.get_by_role("dialog").get_by_role("textbox").press("Enter")
    file = f"/api/userdata/{quote(f'subgraphs/{name}.json', safe='')}"
    page.wait_for_function(f"fetch({json.dumps(file)}).then((answer) => answer.ok)")
    return page.evaluate(f"fetch({json.dumps(file)}).then((answer) => answer.json())")


def drive(page: Page, url: str, arguments: argparse.Namespace) -> None:
    """Open the front end at `url` and do what the command line asks."""
    open_frontend(page, url)
    if arguments.workflow:
        workflow = load_workflow(arguments.workflow)
        load = "app.loadApiJson({}, 'api')" if is_api(workflow) else "app.loadGraphData({}, true, true)"
        page.evaluate(load.format(json.dumps(workflow)))
        settle(page)
    if arguments.build:
        parts = (path.read_text(encoding="utf-8") for path in (HELPERS, arguments.build))
        page.evaluate(f"(async () => {{ {chr(10).join(parts)} }})()")
    settle(page)
    if arguments.blueprint:
        _write(arguments.blueprint, publish(page))
    if arguments.save or (arguments.build and arguments.api):
        saved = json.loads(page.evaluate("JSON.stringify(app.graph.serialize())"))
        # Without a saved viewport the front end fits the whole graph into any window.
        saved.get("extra", {}).pop("ds", None)
        if arguments.save:
            _write(arguments.save, saved)
        # The export below is that of the file, not of the graph as it was built.
        page.evaluate(f"app.loadGraphData({json.dumps(saved)}, true, true)")
        settle(page)
    if arguments.api:
        _write(
            arguments.api,
            json.loads(page.evaluate("app.graphToPrompt().then((p) => JSON.stringify(p.output))")),
        )
    if arguments.screenshot:
        fit(page)
        page.screenshot(path=arguments.screenshot)


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.frontend", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("workflow", nargs="?", type=Path)
    parser.add_argument("--build", type=Path, help="a JavaScript file that makes or changes the graph")
    parser.add_argument("--save", type=Path, help="write what the front end saves")
    parser.add_argument("--blueprint", type=Path, help="publish the chosen subgraph, and write it")
    parser.add_argument("--api", type=Path, help="write what the front end exports for the API")
    parser.add_argument("--screenshot", type=Path, help="write a picture of the graph (PNG)")
    parser.add_argument("--size", default="1600x900", help="of the window, in pixels")
    parser.add_argument("--server", help="use this server instead of starting one")
    arguments = parser.parse_args()
    if not (arguments.workflow or arguments.build):
        parser.error("give a workflow, --build or both")
    width, height = map(int, arguments.size.split("x"))
    # On SIGTERM, as from a time limit, server and browser are stopped too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with contextlib.ExitStack() as stack:
        url = arguments.server or stack.enter_context(running_server(find_comfyui())).url
        browser = stack.enter_context(running_browser(urlsplit(url).hostname or ""))
        drive(stack.enter_context(new_page(browser, width, height)), url, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
