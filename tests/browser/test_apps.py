"""The example with an App: a form beside its video where the front end has Apps; the graph in all of them."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.frontend import FrontEnd

NAME = "audio_to_video_app"
EXAMPLE = Path(__file__).resolve().parents[2] / "example_workflows" / f"{NAME}.json"
HAS_APPS = "app.extensionManager.workflow.activeWorkflow.initialMode !== undefined"  # front ends from 1.41 on
KEPT = "app.graph.serialize().extra.linearData"


def test_it_opens_as_a_graph_and_runs_as_an_app(frontend: FrontEnd, tmp_path: Path) -> None:
    page = frontend.page
    frontend.open_template(NAME)
    expect(frontend.canvas).to_be_visible()
    assert page.evaluate(KEPT) == json.loads(EXAMPLE.read_text(encoding="utf-8"))["extra"]["linearData"]
    if page.evaluate(HAS_APPS):
        use_app(frontend, tmp_path)
    assert frontend.problems() == []


def use_app(frontend: FrontEnd, folder: Path) -> None:
    """The form has the chosen inputs, and Run makes the video."""
    page = frontend.page
    page.evaluate("app.extensionManager.command.execute('Comfy.ToggleLinear')")
    expect(frontend.canvas).to_be_hidden()
    labels = page.locator("[data-testid=linear-widgets] [data-testid=builder-widget-label]")
    expect(labels).to_have_text(["audio", "prompt", "seed"])
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-testid=linear-outputs] video").first).to_be_visible(timeout=300_000)
    frontend.screenshot(folder / "app.png")
    page.evaluate("app.extensionManager.command.execute('Comfy.ToggleLinear')")
    expect(frontend.canvas).to_be_visible()
