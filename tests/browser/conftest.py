"""One real Chromium for all tests here, and in it the front end of a real ComfyUI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from a2v_core.headless.server import ComfyServer
from scripts.chromium import Chromium, running_chromium
from scripts.devtools import Page
from tests.browser.frontend import FrontEnd


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A browser that reaches this machine only."""
    with running_chromium((1600, 850)) as browser:
        yield browser


@pytest.fixture
def tab(chromium: Chromium) -> Iterator[Page]:
    """A tab of its own."""
    with chromium.page() as page:
        yield page


@pytest.fixture(scope="session")
def opened(chromium: Chromium, comfy_server: ComfyServer) -> Iterator[FrontEnd]:
    """The front end, loaded once."""
    with chromium.page() as page:
        frontend = FrontEnd(page, comfy_server)
        frontend.start()
        yield frontend


@pytest.fixture
def frontend(opened: FrontEnd, tmp_path: Path) -> Iterator[FrontEnd]:
    """The front end with an empty graph; what it shows in the end is in end.png, and nothing runs then."""
    opened.page.call("Page.bringToFront")
    opened.blank()
    yield opened
    opened.page.screenshot(tmp_path / "end.png")
    opened.stop()
