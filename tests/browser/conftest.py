"""One real Chromium for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.chromium import Chromium, running_chromium
from scripts.devtools import Page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A browser that reaches this machine only."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def tab(chromium: Chromium) -> Iterator[Page]:
    """A tab of its own."""
    with chromium.page() as page:
        yield page
