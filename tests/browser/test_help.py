"""Help in the front end: every page, pictures that open as graphs, and pages in Chinese."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from a2v_core.headless.server import ComfyServer
from scripts.frontend import open_frontend
from scripts.help_graphs import GRAPHS
from tests.browser.frontend import FrontEnd
from tests.comfyui.locales import read

PICTURE = "/extensions/audio-to-video/docs/images/A2VAudioPreview.png"
# What a browser hands over when a picture is dragged: its address.
DROP = """(() => {
    const carried = new DataTransfer();
    carried.setData('text/uri-list', location.origin + '%s');
    const place = { dataTransfer: carried, bubbles: true, cancelable: true, clientX: 700, clientY: 400 };
    for (const kind of ['dragenter', 'dragover', 'drop'])
        app.canvas.canvas.dispatchEvent(new DragEvent(kind, place));
    return true;
})()"""
HELP = ".node-help-content"
PICTURES = f"""((all) => all.length > 0 && all.every((one) => one.naturalWidth > 0))(
    [...document.querySelectorAll('{HELP} img')])"""
TYPES = "app.graph._nodes.map((node) => node.type).sort()"


@pytest.fixture
def chinese(comfy_server: ComfyServer) -> Iterator[None]:
    """The server's settings say Chinese."""
    set_language(comfy_server, "zh")
    yield
    set_language(comfy_server, "en")


def set_language(server: ComfyServer, language: str) -> None:
    body = json.dumps(language).encode()
    request = urllib.request.Request(f"{server.url}/api/settings/Comfy.Locale", body, method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60):
        pass


def test_a_picture_of_the_help_opens_its_graph(tab: Page, comfy_server: ComfyServer) -> None:
    open_frontend(tab, comfy_server.url)
    tab.evaluate(DROP % PICTURE)
    wanted = sorted(kind for kind, _, _ in GRAPHS["A2VAudioPreview"].nodes.values())
    tab.wait_for_function(f"app.graph._nodes.length === {len(wanted)}")
    assert tab.evaluate(TYPES) == wanted
    assert tab.evaluate("app.graph.links.size") == len(GRAPHS["A2VAudioPreview"].links)


def test_the_help_of_every_node(frontend: FrontEnd, tmp_path: Path) -> None:
    """Opened with the button beside the selected node; its pictures are there."""
    for type, node in read("en").items():
        frontend.page.evaluate(
            f"app.graph.clear(); app.graph.add(LiteGraph.createNode({json.dumps(type)}));"
            "app.graph.nodes[0].pos = [700, 250]; app.canvas.ds.scale = 1; app.canvas.ds.offset = [0, 0]"
        )
        frontend.settle()
        frontend.canvas.click(position=frontend.title(type))
        frontend.page.get_by_test_id("info-button").click()
        shown = frontend.page.locator(HELP)
        expect(shown.locator("h1")).to_have_text(node["display_name"])
        expect(shown.locator("table").first).to_be_visible()
        frontend.page.wait_for_function(PICTURES)
        frontend.screenshot(tmp_path / f"{type}.png")
    # The front end asks for a page in its language first, and the English one where there is none.
    assert [one for one in frontend.problems() if not one.url.endswith("/en.md")] == []


@pytest.mark.usefixtures("chinese")
def test_the_help_page_speaks_chinese(tab: Page, comfy_server: ComfyServer) -> None:
    """Names and tooltips do not here: the front end of ComfyUI 0.3.75 loses those of every pack when it loads
    a language (ComfyUI_frontend issue 6748, mended in its pull request 7214)."""
    open_frontend(tab, comfy_server.url)
    tab.evaluate(
        "app.graph.add(LiteGraph.createNode('A2VAudioPreview')); app.graph.nodes[0].pos = [700, 250];"
        "app.canvas.selectItems(app.graph.nodes)"
    )
    tab.get_by_test_id("info-button").click()
    expect(tab.locator(HELP).locator("h1")).to_have_text(read("zh")["A2VAudioPreview"]["display_name"])
    tab.wait_for_function(PICTURES)
