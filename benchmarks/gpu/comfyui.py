"""A ComfyUI for measurements, and what it can do without."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def flags(folder: Path) -> list[str]:
    """Arguments of a server that only has to run prompts: where the package with the pages is missing, it
    gets an empty folder in their place."""
    if importlib.util.find_spec("comfyui_frontend_package") is not None:
        return []
    pages = folder / "pages"
    pages.mkdir(exist_ok=True)
    return ["--front-end-root", str(pages)]
