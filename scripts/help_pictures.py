"""The pictures of the help pages: screenshots of small graphs in the front end, with the graph embedded.

    python -m scripts.help_pictures [NODE ...]

Writes web/docs/images/NODE.png. Dragged from the help page to the canvas it opens its graph, like every image
that ComfyUI saves. Runs the bundled demo where a node shows a result. Needs a browser.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

from PIL import Image, PngImagePlugin
from playwright.sync_api import FloatRect, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from a2v_core.headless.server import ComfyServer, find_comfyui, running_server

from .browser import new_page, running_browser
from .frontend import fit, open_frontend, settle
from .help_graphs import ADAPTER, GRAPHS, VIDEO, WAN, Graph

PICTURES = Path(__file__).resolve().parents[1] / "web" / "docs" / "images"
WIDEST = 900  # pixels of a picture, about the width of the help page of a large window
COLOURS = 256
RUN_MS = 300_000.0
# Files that the graphs name; they are empty.
NAMED = (
    ("checkpoints", "v2-1_512-ema-pruned.safetensors"),
    ("diffusion_models", WAN),
    ("a2v_audio_adapters", ADAPTER),
)
BUILD = """(async () => {
    const graph = %s, made = {}, columns = [], gap = 50;
    for (const [name, [type, column, values]] of Object.entries(graph.nodes)) {
        const node = LiteGraph.createNode(type);
        if (!node) throw new Error(`the front end does not know ${type}`);
        app.graph.add(node);
        node.properties.cnr_id = type.startsWith('A2V') ? 'audio-to-video' : 'comfy-core';
        for (const [key, value] of Object.entries(values)) {
            const widget = node.widgets.find((one) => one.name === key);
            if (!widget) throw new Error(`${type} has no widget ${key}`);
            widget.value = value;
        }
        const control = node.widgets?.find((one) => one.name === 'control_after_generate');
        if (control) control.value = 'fixed';
        made[name] = node;
        if (name !== graph.below) (columns[column] ??= []).push(name);
    }
    for (const link of graph.links) {
        const [from, output, to, input] = link.split(/[.> ]+/);
        const out = made[from].outputs.findIndex((one) => one.name === output);
        const into = made[to].inputs.findIndex((one) => one.name === input);
        if (out < 0 || into < 0) throw new Error(link);
        made[from].connect(out, made[to], into);
    }
    let x = 0, low = 0;
    for (const names of columns.filter(Boolean)) {
        const wide = Math.max(...names.map((name) => graph.widths[name] ?? 270));
        let y = 0;
        for (const name of names) {
            const node = made[name];
            node.setSize([graph.widths[name] ?? 270, graph.heights[name] ?? node.computeSize()[1]]);
            node.pos = [x, y];
            y += node.size[1] + gap;
        }
        low = Math.max(low, y);
        x += wide + gap;
    }
    if (graph.below) {
        made[graph.below].pos = [0, low];
        made[graph.below].setSize([x - gap, 0.66 * (x - gap)]);
    }
})()"""
RUN = """(async () => {
    const { api } = window.comfyAPI.api, once = { once: true };
    const ended = new Promise((done, failed) => {
        api.addEventListener('execution_success', () => done(true), once);
        api.addEventListener('execution_error', (event) => failed(JSON.stringify(event.detail)), once);
    });
    await app.queuePrompt(0);
    return await ended;
})()"""
# All outputs are displayed: images, animated ones too, and the first frame of videos.
SHOWN = """Object.entries(app.nodeOutputs).every(([id, { images }]) => {
    const node = app.graph.getNodeById(id);
    const media = node.videoContainer?.querySelectorAll('video') ?? node.imgs;
    const shown = (one) => one.naturalWidth > 0 || one.readyState >= 2;
    return !images?.length || media?.length && [...media].every(shown);
})"""
ENLARGE = """(async () => {
    for (const node of app.graph._nodes) {
        const size = node.computeSize();
        node.setSize([node.size[0], Math.max(node.size[1], size[1])]);
    }
    app.canvas.setDirty(true, true);
})()"""
BOX = """(() => {
    const corners = app.graph._nodes.map(({ pos, size }) => [
        pos[0], pos[1] - LiteGraph.NODE_TITLE_HEIGHT, pos[0] + size[0], pos[1] + size[1]]);
    const { scale, offset } = app.canvas.ds;
    const at = (value, axis) => (value + offset[axis]) * scale;
    const edge = (index, pick) => pick(...corners.map((corner) => corner[index]));
    const place = app.canvas.canvas.getBoundingClientRect();
    return [at(edge(0, Math.min), 0) + place.left, at(edge(1, Math.min), 1) + place.top,
            at(edge(2, Math.max), 0) + place.left, at(edge(3, Math.max), 1) + place.top];
})()"""


def take(page: Page, graph: Graph) -> tuple[Image.Image, str]:
    """The picture of a graph, and the graph as the front end saves it."""
    page.evaluate("app.graph.clear(); app.nodeOutputs = {}")
    page.evaluate(BUILD % json.dumps(asdict(graph)))
    settle(page)
    if graph.run:
        run(page)
        page.evaluate(ENLARGE)
        settle(page)
    saved: str = page.evaluate("JSON.stringify(app.graph.serialize())")
    return shoot(page), saved


def run(page: Page) -> None:
    """Queue the graph and wait until its outputs are displayed, which those out of view never are."""
    fit(page)
    page.wait_for_function(RUN, timeout=RUN_MS)
    page.wait_for_function(SHOWN)
    settle(page)


def shoot(page: Page) -> Image.Image:
    """Screenshot of the graph alone, at scale 1 or smaller."""
    page.evaluate("app.canvas.selectItems(); app.canvas.fitViewToSelectionAnimated({duration: 1})")
    settle(page)
    page.evaluate(
        "app.canvas.deselectAll(); app.canvas.ds.changeScale(Math.min(1, app.canvas.ds.scale), [880, 500])"
    )
    settle(page)
    left, top, right, bottom = page.evaluate(BOX)
    sides, above = 14, 30  # the front end writes the pack's name above a node
    clip: FloatRect = {
        "x": left - sides,
        "y": top - above,
        "width": right - left + 2 * sides,
        "height": bottom - top + sides + above,
    }
    return Image.open(BytesIO(page.screenshot(clip=clip))).convert("RGB")


def save(picture: Image.Image, graph: str, path: Path) -> None:
    """Write a small PNG with the graph in its metadata."""
    if picture.width > WIDEST:
        size = (WIDEST, round(picture.height * WIDEST / picture.width))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    metadata = PngImagePlugin.PngInfo()
    metadata.add_text("workflow", json.dumps(json.loads(graph), separators=(",", ":")))
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    flat.save(path, pnginfo=metadata, optimize=True)


def open_with_retries(page: Page, url: str) -> None:
    """Open the front end; on a busy machine retry after a timeout, with half of it cached."""
    for _ in range(3):
        with contextlib.suppress(PlaywrightTimeout):
            open_frontend(page, url)
            return
    open_frontend(page, url)


def make_video(page: Page, server: ComfyServer) -> None:
    """A video of the demo in the input folder, for AV-Align Score."""
    if not (server.input / VIDEO).exists():
        take(page, GRAPHS["A2VT2VSampler"])
        shutil.copy(next((server.output / "video").glob("help*.mp4")), server.input / VIDEO)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.help_pictures")
    parser.add_argument("nodes", nargs="*", metavar="NODE", help=f"of {', '.join(GRAPHS)}; default: all")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server(find_comfyui(), own_models=True, cpu=True))
        for folder, name in NAMED:
            (server.models / folder).mkdir(parents=True, exist_ok=True)
            (server.models / folder / name).touch()
        browser = stack.enter_context(running_browser())
        page = stack.enter_context(new_page(browser, 1760, 1000))
        open_with_retries(page, server.url)
        page.evaluate("void app.graph.add(LiteGraph.createNode('A2VLoadAudio'))")
        fit(page)
        for name in arguments.nodes or GRAPHS:
            if name == "A2VAVAlignScore":
                make_video(page, server)
            path = PICTURES / f"{name}.png"
            save(*take(page, GRAPHS[name]), path)
            print(f"{path.stat().st_size:8d}  {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
