"""ComfyUI's front end as a person uses it: by what is written on the screen, with mouse and keys."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Position, ViewportSize, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from a2v_core.headless.server import ComfyServer
from a2v_core.headless.server.process import PACK_NAME
from scripts.browser import WAIT_MS
from scripts.frontend import open_frontend, settle
from tests.browser.problems import Problem, watch

# What the front end itself complains about, with and without the pack. Of everything else nothing is allowed.
KNOWN = (
    "api.comfy.org",  # the registry, which a server without API nodes forbids the page to ask
    "/userdata",  # files that a new user does not have yet
    "user.css",
    "favicon.ico",
    "/templates/index_logo.json",  # what newer front ends ask core's package of templates for
    "$t is not a function",  # the preview beside the mouse while a node is dragged from the library
)
NO_BANNER = "location.host && localStorage.setItem('vueNodesBannerDismissed', 'true')"
CLOSE_SIDE_BAR = """(() => {
    document.querySelector('.side-bar-panel button:has(.pi-arrow-left)')?.click();  // of a help page
    const bar = app.extensionManager.sidebarTab;
    if (bar.activeSidebarTabId) bar.toggleSidebarTab(bar.activeSidebarTabId);
})()"""
NODE = "app.graph.nodes.find((one) => one.type === {type})"
# The history of a prompt, once it is over.
DONE = """async (prompt) => {
    for (;;) {
        const history = await (await fetch(`/api/history/${prompt}`)).json();
        if (prompt in history) return history[prompt];
        await new Promise((done) => setTimeout(done, 200));
    }
}"""
SIZE: ViewportSize = {"width": 1600, "height": 850}
AGAIN_MS = 5000
PRESS_MS = 30  # clicks of one moment are no double click to the canvas
# So tall that the node library needs no scrolling: newer front ends scroll it on under a pressed button.
TALL: ViewportSize = {"width": 1600, "height": 1700}

expect.set_options(timeout=WAIT_MS)


class FrontEnd:
    """A page with the front end of a running server.

    Playwright clicks on what is visible, stands still and lies on top, and waits until it does; places on the
    canvas are relative to it.
    """

    def __init__(self, page: Page, server: ComfyServer) -> None:
        """Load the front end, without the advertisement over it."""
        self.page = page
        self.server = server
        self.canvas = page.locator("#graph-canvas")
        self.dialog = page.get_by_role("dialog")
        self._complaints = watch(page)
        page.add_init_script(NO_BANNER)
        open_frontend(page, server.url)

    def problems(self) -> list[Problem]:
        """What went wrong since the last blank graph, less what the front end always has to say."""
        self.page.evaluate("0")  # whatever was said until now has arrived when this is answered
        return [one for one in self._complaints if not any(text in one.text + one.url for text in KNOWN)]

    def blank(self) -> None:
        """A new tab of the front end with an empty graph, and nothing wrong so far."""
        if self.dialog.count():
            self.page.keyboard.press("Escape")
            expect(self.dialog).to_have_count(0)
        self.page.set_viewport_size(SIZE)
        self.page.evaluate(CLOSE_SIDE_BAR)
        self.page.evaluate("app.extensionManager.command.execute('Comfy.NewBlankWorkflow')")
        self.page.wait_for_function("app.graph.nodes.length === 0")
        self._complaints.clear()

    def refresh(self) -> None:
        """What the key R does: the server's lists of files, anew."""
        self.page.evaluate("app.extensionManager.command.execute('Comfy.RefreshNodeDefinitions')")

    def text(self, text: str, within: str = "body") -> Locator:
        """The last visible thing that reads exactly `text`, inside what the CSS selector `within` finds."""
        return self.page.locator(within).get_by_text(text, exact=True).filter(visible=True).last

    def open_template(self, name: str) -> None:
        """From the template browser: the pack's own shelf, the card, until the graph is there."""
        self.open_templates()
        self.text(name, "[role=dialog]").click()
        expect(self.dialog).to_have_count(0)
        self.page.wait_for_function("app.graph.nodes.length > 0")
        self.settle()

    def load_template(self, name: str) -> None:
        """What a click on its card does, without the template browser, which takes long to draw."""
        self.page.evaluate(
            """async ([pack, name]) => {
                const answer = await fetch(`/api/workflow_templates/${pack}/${name}.json`);
                await app.loadGraphData(await answer.json(), true, true, name);
            }""",
            [PACK_NAME, name],
        )
        self.page.wait_for_function("app.graph.nodes.length > 0")
        self.settle()

    def open_templates(self) -> None:
        """The pack's own shelf of the template browser."""
        self.page.locator("nav .templates-tab-button").click()
        self.text(PACK_NAME, "[role=dialog] nav").click()

    def zoom(self, scale: float) -> None:
        """How large the graph is shown, from its origin; its text at any size."""
        self.page.evaluate("app.extensionManager.setting.set('LiteGraph.Canvas.MinFontSizeForLOD', 0)")
        self.page.evaluate(f"app.canvas.ds.scale = {scale}; app.canvas.ds.offset = [0, 0]")
        self.settle()

    def open_library(self, folder: str) -> None:
        """Unfold a folder of the node library in the side bar."""
        self.page.set_viewport_size(TALL)
        self.page.locator("nav .node-library-tab-button").click()
        self.text(folder, ".side-bar-panel [role=tree]").click()

    def drop(self, title: str, type: str, across: float, down: float) -> None:
        """Drag a node from the open library to a place on the canvas, in parts of its size."""
        place = self._canvas_place(across, down)
        self.text(title, ".side-bar-panel [role=treeitem]").drag_to(self.canvas, target_position=place)
        self.page.wait_for_function(NODE.format(type=json.dumps(type)))

    def search(self, title: str, type: str, across: float, down: float) -> None:
        """Double click on the empty canvas, type the name, take the first that is found."""
        place = self._canvas_place(across, down)
        field = self.page.locator("[role=combobox]:focus")
        self._double_click(place, field)
        field.fill(title)
        expect(self.text(title, ":is(.p-focus, [aria-selected=true])[role=option]")).to_be_visible()
        self.page.keyboard.press("Enter")
        node = NODE.format(type=json.dumps(type))
        self.page.wait_for_function(node)
        expect(field).to_have_count(0)
        if self.page.evaluate(f"!!{node}.flags.ghost"):  # newer front ends: the mouse holds it by its middle
            half: float = self.page.evaluate(f"app.canvas.ds.scale * {node}.size[0] / 2")
            self.canvas.click(position={"x": place["x"] + half, "y": place["y"]})
            self.page.wait_for_function(f"!{node}.flags.ghost")

    def settle(self) -> None:
        """Wait until the graph has been drawn and stands still."""
        settle(self.page)

    def nodes(self) -> list[dict[str, Any]]:
        """Type, errors, and edges on the screen (left, top, right, bottom; with the title) of every node."""
        found: list[dict[str, Any]] = self.page.evaluate(
            """app.graph.nodes.map((node) => {
                const [left, top] = app.canvas.ds.convertOffsetToCanvas([node.pos[0], node.pos[1] - 30]);
                const [right, bottom] = app.canvas.ds.convertOffsetToCanvas(
                    [node.pos[0] + node.size[0], node.pos[1] + node.size[1]]);
                return {
                    type: node.type,
                    known: node.type in LiteGraph.registered_node_types,
                    errors: !!node.has_errors || node.inputs.some((input) => input.hasErrors),
                    box: [left, top, right, bottom],
                };
            })"""
        )
        return found

    def links(self) -> set[tuple[str, str, str, str]]:
        """(node, output, node, input) by types and names."""
        found = self.page.evaluate(
            """[...app.graph.links.values()].map((link) => {
                const [from, to] = [link.origin_id, link.target_id].map((id) => app.graph.getNodeById(id));
                return [from.type, from.outputs[link.origin_slot].name,
                    to.type, to.inputs[link.target_slot].name];
            })"""
        )
        return {(one[0], one[1], one[2], one[3]) for one in found}

    def title(self, type: str) -> Position:
        """Where the title of a node is."""
        return self._on_canvas(type, "[node.pos[0] + 60, node.pos[1] - 15]")

    def widget(self, type: str, name: str) -> Position:
        """Where the value of a widget is."""
        row = f"node.widgets.find((one) => one.name === {json.dumps(name)}).y + 12"
        return self._on_canvas(type, f"[node.pos[0] + node.size[0] * 0.6, node.pos[1] + {row}]")

    def connect(self, source: str, output: str, target: str, input: str) -> None:
        """Draw a link with the mouse."""
        start, end = self._slot(source, "outputs", output), self._slot(target, "inputs", input)
        self.canvas.drag_to(self.canvas, source_position=start, target_position=end, steps=5)
        node, name = NODE.format(type=json.dumps(target)), json.dumps(input)
        self.page.wait_for_function(f"{node}.inputs.find((one) => one.name === {name}).link")

    def set_number(self, type: str, name: str, value: float) -> None:
        """Double click on a widget, type the value, Enter."""
        field = self.page.locator(".graphdialog input")
        self._double_click(self.widget(type, name), field)
        field.fill(f"{value:g}")
        field.press("Enter")
        self._until_widget(type, name, value)

    def choose(self, type: str, name: str, value: str) -> None:
        """Click on a widget, take the entry from its list."""
        self.canvas.click(position=self.widget(type, name))
        self.text(value, ".litecontextmenu").click()
        self._until_widget(type, name, value)
        expect(self.page.locator(".litecontextmenu")).to_have_count(0)

    def run(self) -> str:
        """Press Run; the number of the prompt that the server then has."""
        with self.page.expect_response(
            lambda answer: answer.request.method == "POST" and answer.url.endswith("/api/prompt")
        ) as answer:
            self.text("Run", ".queue-button-group").click()
        return str(answer.value.json()["prompt_id"])

    def result(self, prompt: str, seconds: float = 300.0) -> dict[str, Any]:
        """The history of a prompt, once it is over."""
        try:
            entry = self.page.wait_for_function(DONE, arg=prompt, timeout=seconds * 1000)
        except PlaywrightTimeout as error:
            raise TimeoutError(f"the run did not end within {seconds} s\n{self.server.log_tail()}") from error
        found: dict[str, Any] = entry.json_value()
        return found

    def queue(self) -> list[str]:
        """Prompts that wait or run."""
        found: list[str] = self.page.evaluate(
            """fetch('/api/queue').then((answer) => answer.json()).then((queue) =>
                [...queue.queue_running, ...queue.queue_pending].map((one) => one[1]))"""
        )
        return found

    def screenshot(self, path: Path) -> Path:
        self.page.screenshot(path=path)
        return path

    def stop(self) -> None:
        """Whatever waits or runs on the server ends."""
        self.page.evaluate(
            """(async () => {
                const post = (path, body) => fetch(path, {method: 'POST', body: JSON.stringify(body)});
                await post('/api/queue', {clear: true});
                await post('/api/interrupt', {});
            })()"""
        )

    def _double_click(self, place: Position, opened: Locator) -> None:
        """Once more where that opened nothing: a busy page takes it for two clicks."""
        for _ in range(round(WAIT_MS / AGAIN_MS)):
            self.canvas.dblclick(position=place, delay=PRESS_MS)
            with contextlib.suppress(PlaywrightTimeout):
                opened.wait_for(timeout=AGAIN_MS)
                return
        raise TimeoutError(f"a double click at {place} opens nothing")

    def _canvas_place(self, across: float, down: float) -> Position:
        box = self.canvas.bounding_box()
        assert box is not None
        return {"x": across * box["width"], "y": down * box["height"]}

    def _on_canvas(self, type: str, point: str) -> Position:
        """A point of the only node of a type, given as JavaScript in terms of `node`."""
        node = NODE.format(type=json.dumps(type))
        place = f"[...app.canvas.ds.convertOffsetToCanvas({point})]"
        found = f"((node) => {place}.every(Number.isFinite) && {place})({node})"
        x, y = self.page.wait_for_function(found).json_value()  # a widget has a place once it has been drawn
        return {"x": x, "y": y}

    def _slot(self, type: str, side: str, name: str) -> Position:
        index = f"node.{side}.findIndex((one) => one.name === {json.dumps(name)})"
        return self._on_canvas(type, f"[...node.getConnectionPos({json.dumps(side == 'inputs')}, {index})]")

    def _until_widget(self, type: str, name: str, value: float | str) -> None:
        node = NODE.format(type=json.dumps(type))
        widget = f"{node}.widgets.find((one) => one.name === {json.dumps(name)})"
        self.page.wait_for_function(f"{widget}.value === {json.dumps(value)}")
