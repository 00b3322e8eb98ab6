"""The example that is an App: a form beside its video where the front end has Apps, elsewhere a graph."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.frontend import FrontEnd

NAME = "audio_to_video_app"
EXAMPLE = Path(__file__).resolve().parents[2] / "example_workflows" / f"{NAME}.json"
HAS_APPS = "!!app.extensionManager.workflow.activeWorkflow.initialMode"  # front ends from 1.41 on
KEPT = "(({linearMode, linearData}) => ({linearMode, linearData}))(app.graph.serialize().extra)"


def test_it_opens_in_the_way_of_the_front_end(frontend: FrontEnd, tmp_path: Path) -> None:
    page = frontend.page
    frontend.open_template(NAME)
    extra = json.loads(EXAMPLE.read_text(encoding="utf-8"))["extra"]
    assert page.evaluate(KEPT) == {key: extra[key] for key in ("linearMode", "linearData")}
    if page.evaluate(HAS_APPS):
        use_app(frontend, tmp_path)
    else:
        expect(frontend.canvas).to_be_visible()
    assert frontend.problems() == []


def use_app(frontend: FrontEnd, folder: Path) -> None:
    """The form has the chosen inputs, Run makes the video, and the graph is a click away."""
    page = frontend.page
    expect(frontend.canvas).to_be_hidden()
    labels = page.locator("[data-testid=linear-widgets] [data-testid=builder-widget-label]")
    expect(labels).to_have_text(["audio", "prompt", "seed"])
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-testid=linear-outputs] video").first).to_be_visible(timeout=300_000)
    frontend.screenshot(folder / "app.png")
