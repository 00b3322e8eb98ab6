"""ComfyUI's front end as a person uses it: by what is written on the screen, with mouse and keys."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2v_core.headless.server import ComfyServer
from scripts.devtools import Page, Problem
from scripts.frontend import open_frontend

Point = tuple[float, float]

# What the front end itself complains about, with and without the pack. Of everything else nothing is allowed.
KNOWN = (
    "api.comfy.org",  # the registry, which a server without API nodes forbids the page to ask
    "/userdata",  # files that a new user does not have yet
    "user.css",
    "favicon.ico",
    "/templates/index_logo.json",  # what newer front ends ask core's package of templates for
    "$t is not a function",  # the preview beside the mouse while a node is dragged from the library
)
# Where the middle of an element is, once it stands still and nothing lies over it. Frames are counted, not
# time: a dialog grows to its size, and on a busy machine it stands still at 70 % for long before it does.
STILL = """(async () => {{
    const found = {found};
    const frames = async () => {{
        for (let count = 0; count < 3; count += 1) await new Promise((done) => requestAnimationFrame(done));
    }};
    const box = () => JSON.stringify(found.getBoundingClientRect());
    const moves = () => document.getAnimations().some((one) =>
        one.playState === 'running' && one.effect?.target?.contains(found));
    found.scrollIntoView({{block: 'nearest'}});
    for (let before = ''; before !== box() || moves(); ) {{
        before = box();
        await frames();
    }}
    const {{x, y, width, height}} = found.getBoundingClientRect();
    const hit = document.elementFromPoint(x + width / 2, y + height / 2);
    return (found.contains(hit) || hit.contains(found)) && [x + width / 2, y + height / 2];
}})()"""
READS = """[...document.querySelectorAll({within} + ' *')].filter((one) =>
    (one.innerText ?? '').trim() === {text}
    && one.checkVisibility({{opacityProperty: true, visibilityProperty: true}})).at(-1)"""
NO_BANNER = "location.host && localStorage.setItem('vueNodesBannerDismissed', 'true')"
CLOSE_SIDE_BAR = """(() => {
    document.querySelector('.side-bar-panel button:has(.pi-arrow-left)')?.click();  // of a help page
    const bar = app.extensionManager.sidebarTab;
    if (bar.activeSidebarTabId) bar.toggleSidebarTab(bar.activeSidebarTabId);
})()"""
DIALOG = "document.querySelector('[role=dialog]')"
# A place on the screen, {place} of the canvas, once nothing lies over the canvas there.
FREE = """(() => {{
    const canvas = app.canvas.canvas.getBoundingClientRect();
    const [x, y] = {place};
    const place = [canvas.x + x, canvas.y + y];
    return document.elementFromPoint(...place) === app.canvas.canvas && place;
}})()"""
NODE = "app.graph.nodes.find((one) => one.type === {type})"


@dataclass
class FrontEnd:
    """One tab with the front end of a running server."""

    page: Page
    server: ComfyServer

    def start(self) -> None:
        """Load the page, without the advertisement over it."""
        self.page.call("Page.addScriptToEvaluateOnNewDocument", source=NO_BANNER)
        open_frontend(self.page, self.server.url)

    def problems(self) -> list[Problem]:
        """What went wrong since the last blank graph, less what the front end always has to say."""
        self.page.value("0")  # whatever was said until now has arrived when this is answered
        return [one for one in self.page.problems if not any(text in one.text + one.url for text in KNOWN)]

    def blank(self) -> None:
        """A new tab of the front end with an empty graph, and nothing wrong so far."""
        if self.page.value(f"!!{DIALOG}"):
            self.page.press("Escape", 27)
            self.page.until(f"!{DIALOG}")
        self.page.value(CLOSE_SIDE_BAR)
        self.page.value("app.extensionManager.command.execute('Comfy.NewBlankWorkflow')")
        self.page.until("app.graph.nodes.length === 0")
        self.page.problems.clear()

    def refresh(self) -> None:
        """What the key R does: the server's lists of files, anew."""
        self.page.value("app.extensionManager.command.execute('Comfy.RefreshNodeDefinitions')")

    def click(self, text: str, within: str = "body", count: int = 1) -> None:
        """Click on what reads exactly `text`, inside what the CSS selector `within` finds."""
        self.page.click(*self.place(text, within), count=count)

    def place(self, text: str, within: str = "body") -> Point:
        """Where the innermost element that reads `text` is, once it has stopped moving."""
        return self._middle(READS.format(within=json.dumps(within), text=json.dumps(text)))

    def press_button(self, selector: str) -> None:
        """Click on the first element that a CSS selector finds."""
        self.page.click(*self._middle(f"document.querySelector({json.dumps(selector)})"))

    def open_template(self, name: str) -> None:
        """From the template browser: the pack's own shelf, the card, until the graph is there."""
        self.press_button("nav .templates-tab-button")
        self.click("audio-to-video", "[role=dialog] nav")
        self.click(name, "[role=dialog]")
        self.page.until(f"!{DIALOG} && app.graph.nodes.length > 0")
        self.settle()

    def zoom(self, scale: float) -> None:
        """How large the graph is shown, from its origin; its text at any size."""
        self.page.value("app.extensionManager.setting.set('LiteGraph.Canvas.MinFontSizeForLOD', 0)")
        self.page.value(f"app.canvas.ds.scale = {scale}; app.canvas.ds.offset = [0, 0]")
        self.settle()

    def open_library(self, folder: str) -> None:
        """Unfold a folder of the node library in the side bar."""
        if not self.page.value("!!document.querySelector('.side-bar-panel [role=tree]')"):
            self.press_button("nav .node-library-tab-button")
        self.click(folder, ".side-bar-panel [role=tree]")

    def drop(self, title: str, type: str, across: float, down: float) -> None:
        """Drag a node from the open library to a place on the canvas, in parts of its size."""
        self.page.drag(self.place(title, ".side-bar-panel [role=treeitem]"), self.canvas_place(across, down))
        self.page.until(NODE.format(type=json.dumps(type)) + "?.id")

    def search(self, title: str, type: str, across: float, down: float) -> None:
        """Double click on the empty canvas, type the name, take the first that is found."""
        self.page.click(*self.canvas_place(across, down), count=2)
        self.page.until("document.activeElement.role === 'combobox'")
        self.page.type(title)
        self.place(title, ":is(.p-focus, [aria-selected=true])[role=option]")
        self.page.press("Enter", 13)
        self.page.until(NODE.format(type=json.dumps(type)) + "?.id")

    def canvas_place(self, across: float, down: float) -> Point:
        """A place on the canvas, in parts of its size, once nothing lies over it."""
        x, y = self.page.until(FREE.format(place=f"[{across} * canvas.width, {down} * canvas.height]"))
        return x, y

    def settle(self) -> None:
        """Wait until the graph has been drawn and stands still."""
        self.page.until(
            """(async () => {
                const view = () => JSON.stringify([...app.canvas.ds.offset, app.canvas.ds.scale]);
                const before = view();
                app.canvas.setDirty(true, true);
                for (let count = 0; count < 5; count += 1)
                    await new Promise((done) => requestAnimationFrame(done));
                return before === view();
            })()"""
        )

    def nodes(self) -> list[dict[str, Any]]:
        """Type, errors, and edges on the screen (left, top, right, bottom; with the title) of every node."""
        found: list[dict[str, Any]] = self.page.value(
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
        found = self.page.value(
            """[...app.graph.links.values()].map((link) => {
                const [from, to] = [link.origin_id, link.target_id].map((id) => app.graph.getNodeById(id));
                return [from.type, from.outputs[link.origin_slot].name,
                    to.type, to.inputs[link.target_slot].name];
            })"""
        )
        return {(one[0], one[1], one[2], one[3]) for one in found}

    def on_screen(self, type: str, point: str) -> Point:
        """A point of the only node of a type, given as JavaScript in terms of `node`."""
        node = NODE.format(type=json.dumps(type))
        place = f"((node) => app.canvas.ds.convertOffsetToCanvas([...{point}]))({node})"
        x, y = self.page.until(FREE.format(place=place))
        return x, y

    def title(self, type: str) -> Point:
        """Where the title of a node is."""
        return self.on_screen(type, "[node.pos[0] + 60, node.pos[1] - 15]")

    def widget(self, type: str, name: str) -> Point:
        """Where the value of a widget is."""
        row = f"node.widgets.find((one) => one.name === {json.dumps(name)}).y + 12"
        return self.on_screen(type, f"[node.pos[0] + node.size[0] * 0.6, node.pos[1] + {row}]")

    def connect(self, source: str, output: str, target: str, input: str) -> None:
        """Draw a link with the mouse."""
        self.page.drag(self._slot(source, "outputs", output), self._slot(target, "inputs", input))
        name = json.dumps(input)
        self.page.until(
            f"{NODE.format(type=json.dumps(target))}.inputs.find((one) => one.name === {name}).link"
        )

    def set_number(self, type: str, name: str, value: float) -> None:
        """Double click on a widget, type the value, Enter."""
        self.page.click(*self.widget(type, name), count=2)
        self.page.until("!!document.querySelector('.graphdialog input')")
        self.page.value("document.querySelector('.graphdialog input').select()")
        self.page.type(f"{value:g}")
        self.page.press("Enter", 13)
        self.page.until(
            f"{NODE.format(type=json.dumps(type))}.widgets.find((one) => one.name === {json.dumps(name)})"
            f".value === {value:g}"
        )

    def choose(self, type: str, name: str, value: str) -> None:
        """Click on a widget, take the entry from its list."""
        self.page.click(*self.widget(type, name))
        self.click(value, ".litecontextmenu")
        self.page.until(
            f"{NODE.format(type=json.dumps(type))}.widgets.find((one) => one.name === {json.dumps(name)})"
            f".value === {json.dumps(value)} && !document.querySelector('.litecontextmenu')"
        )

    def run(self) -> str:
        """Press Run; the number of the prompt that the server then has."""
        before = set(self.history())
        self.click("Run", ".queue-button-group")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for prompt in set(self.history()) | set(self.queue()):
                if prompt not in before:
                    return str(prompt)
            time.sleep(0.1)
        raise TimeoutError(
            f"nothing was queued; the page shows: {self.page.value('document.body.innerText')}"
        )

    def result(self, prompt: str, seconds: float = 300.0) -> dict[str, Any]:
        """The history of a prompt, once it is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if prompt in (history := self.history()):
                entry: dict[str, Any] = history[prompt]
                return entry
            time.sleep(0.2)
        raise TimeoutError(f"the run did not end within {seconds} s\n{self.server.log_tail()}")

    def history(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.value("fetch('/api/history').then((answer) => answer.json())")
        return found

    def queue(self) -> list[str]:
        """Prompts that wait or run."""
        found: list[str] = self.page.value(
            """fetch('/api/queue').then((answer) => answer.json()).then((queue) =>
                [...queue.queue_running, ...queue.queue_pending].map((one) => one[1]))"""
        )
        return found

    def screenshot(self, path: Path) -> Path:
        return self.page.screenshot(path)

    def stop(self) -> None:
        """Whatever waits or runs on the server ends."""
        self.page.value(
            """(async () => {
                const post = (path, body) => fetch(path, {method: 'POST', body: JSON.stringify(body)});
                await post('/api/queue', {clear: true});
                await post('/api/interrupt', {});
            })()"""
        )

    def _middle(self, found: str) -> Point:
        """Where to click on an element, given as JavaScript."""
        x, y = self.page.until(STILL.format(found=found))
        return x, y

    def _slot(self, type: str, side: str, name: str) -> Point:
        index = f"node.{side}.findIndex((one) => one.name === {json.dumps(name)})"
        return self.on_screen(type, f"node.getConnectionPos({json.dumps(side == 'inputs')}, {index})")
