"""Screenshots of the front end for README and docs: example workflows after a run of the bundled models.

    python -m scripts.screenshots

Writes docs/images/graph.jpg (audio_to_video), wan_graph.jpg (wan_audio_to_video) and score.jpg
(score_any_video, with the video that the first one made). Needs a browser.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from a2v_core.headless.server import find_comfyui, running_server

from .browser import new_page, running_browser
from .frontend import fit
from .help_pictures import open_with_retries, run, shoot

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "images"
LARGEST = 150_000  # bytes
QUALITIES = (92, 88, 84, 80, 75, 70)
# Seeks every player to the moment after the second hit of the drum.
PLAYERS = """Promise.all([...document.querySelectorAll('video')].map((one) => new Promise((done) => {
    one.onseeked = () => done(true);
    one.currentTime = 0.6;
})))"""


def take(page: Page, name: str) -> Image.Image:
    """An example workflow after its run."""
    workflow = (ROOT / "example_workflows" / f"{name}.json").read_text(encoding="utf-8")
    page.evaluate(f"app.loadGraphData({json.dumps(json.loads(workflow))}, true, true)")
    run(page)
    page.evaluate(PLAYERS)
    return shoot(page)


def save(picture: Image.Image, path: Path) -> None:
    """Write the JPEG in the best quality of at most LARGEST bytes."""
    for quality in QUALITIES:
        picture.save(path, quality=quality, optimize=True, subsampling=0)
        if path.stat().st_size <= LARGEST:
            break
    print(f"{path.stat().st_size:8d}  {path.name}  {picture.width} x {picture.height}")


def main() -> int:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_server(find_comfyui(), own_models=True, cpu=True))
        browser = stack.enter_context(running_browser())
        page = stack.enter_context(new_page(browser, 1720, 1000))
        open_with_retries(page, server.url)
        page.evaluate("void app.graph.add(LiteGraph.createNode('A2VLoadAudio'))")
        fit(page)
        save(take(page, "audio_to_video"), PICTURES / "graph.jpg")
        save(take(page, "wan_audio_to_video"), PICTURES / "wan_graph.jpg")
        made = next((server.output / "video").glob("audio_to_video*.mp4"))
        shutil.copy(made, server.input / "your_video.mp4")
        page.evaluate("app.extensionManager.command.execute('Comfy.RefreshNodeDefinitions')")
        save(take(page, "score_any_video"), PICTURES / "score.jpg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
