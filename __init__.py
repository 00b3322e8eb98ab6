"""ComfyUI entry point of the pack, and nothing else: ComfyUI imports this file under its file path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .nodes import A2VExtension

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> A2VExtension:
    """The pack's nodes; called by ComfyUI once. The import waits for the call so that tests and tools, which
    have no ComfyUI, can import the folder."""
    from .nodes import A2VExtension
    from .nodes.packages import warn_of_missing

    warn_of_missing()
    return A2VExtension()
