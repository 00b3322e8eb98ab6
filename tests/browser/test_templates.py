"""Every example workflow in the front end, and the template browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.frontend import TALL, FrontEnd
from tests.browser.pictures import colours, share_of

# A user's video. Where there is none, core's Load Video asks the server in vain, in every graph.
VIDEO = Path(__file__).parents[1] / "golden" / "av_align" / "clip0_sync_12fps.mp4"
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "example_workflows").glob("*.json"))
RED = ((200, 0, 0), (255, 60, 60))  # of a border that means an error


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_opens_whole(frontend: FrontEnd, path: Path, tmp_path: Path) -> None:
    shutil.copy(VIDEO, frontend.server.input / "holiday.mp4")
    frontend.refresh()
    frontend.load_template(path.stem)
    check_graph(frontend, path, frontend.screenshot(tmp_path / f"{path.stem}.png"))


def test_it_opens_by_a_click_on_its_card(frontend: FrontEnd, tmp_path: Path) -> None:
    frontend.open_template(EXAMPLES[0].stem)
    check_graph(frontend, EXAMPLES[0], frontend.screenshot(tmp_path / "clicked.png"))


def check_graph(frontend: FrontEnd, path: Path, picture: Path) -> None:
    """What is open is the whole workflow, in full view, and nothing is wrong with it."""
    saved = json.loads(path.read_text())
    nodes = frontend.nodes()
    assert sorted(node["type"] for node in nodes) == sorted(node["type"] for node in saved["nodes"])
    assert [node["type"] for node in nodes if not node["known"] and node["type"] != "MarkdownNote"] == []
    assert [node["type"] for node in nodes if node["errors"]] == []
    assert frontend.page.evaluate("app.graph.links.size") == len(saved["links"])
    width, height = frontend.page.evaluate(
        "(({width, height}) => [width, height])(app.canvas.canvas.getBoundingClientRect())"
    )
    for node in nodes:
        left, top, right, bottom = node["box"]
        assert left >= 0, node
        assert top >= 0, node
        assert right <= width, node
        assert bottom <= height, node
    chosen = "app.graph.nodes.filter((one) => one.type === 'LoadVideo').map((one) => one.widgets[0].value)"
    assert set(frontend.page.evaluate(chosen)) <= {
        "holiday.mp4",
        "",
    }  # newer front ends leave it open
    assert colours(picture) > 100
    assert share_of(picture, *RED) == 0
    assert frontend.problems() == []


def test_the_cards_have_pictures(frontend: FrontEnd, tmp_path: Path) -> None:
    frontend.page.set_viewport_size(TALL)  # pictures load where they are seen
    frontend.open_templates()
    expect(frontend.text(EXAMPLES[-1].stem, "[role=dialog]")).to_be_visible()
    shown = "[...document.querySelectorAll('[role=dialog] img')].filter((one) => one.naturalWidth >= 256)"
    names = frontend.page.wait_for_function(
        f"{shown}.length >= {len(EXAMPLES)} && {shown}.map((one) => one.alt)"
    )
    assert sorted(names.json_value()) == [path.stem for path in EXAMPLES]
    frontend.screenshot(tmp_path / "cards.png")
    frontend.dialog.locator("button:has(.pi-times)").first.click()
    expect(frontend.dialog).to_have_count(0)
    assert frontend.problems() == []
