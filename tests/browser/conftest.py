"""A real browser for the tests of each file here, and in it the front end of a real ComfyUI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from a2v_core.headless.server import ComfyServer, find_comfyui, running_server
from scripts.browser import new_page, running_browser
from tests.browser.frontend import FrontEnd


@pytest.fixture(scope="session")
def comfy_server() -> Iterator[ComfyServer]:
    """A server of its own: pages show what others have run and uploaded."""
    with running_server(find_comfyui(), own_models=True, cpu=True) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that reaches this machine only. Not for the whole session: while it is open an event loop
    runs in this thread, and tests elsewhere start their own."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A page of a profile of its own."""
    with new_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def opened(browser: Browser, comfy_server: ComfyServer) -> Iterator[FrontEnd]:
    """The front end, loaded once."""
    with new_page(browser) as page:
        yield FrontEnd(page, comfy_server)


@pytest.fixture
def frontend(opened: FrontEnd, tmp_path: Path) -> Iterator[FrontEnd]:
    """The front end with an empty graph; what it shows in the end is in end.png, and nothing runs then."""
    opened.page.bring_to_front()
    opened.blank()
    yield opened
    opened.screenshot(tmp_path / "end.png")
    opened.stop()
