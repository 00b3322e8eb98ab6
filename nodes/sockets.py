"""The pack's own socket types, and where its nodes stand in the menu. Everything else is ComfyUI's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from comfy_api.latest import io

CATEGORY = "audio-to-video"

Mapper = io.Custom("A2V_MAPPER")
FrameTokens = io.Custom("A2V_FRAME_TOKENS")
AudioTokens = io.Custom("A2V_AUDIO_TOKENS")
AudioAdapter = io.Custom("A2V_AUDIO_ADAPTER")
T2VModel = io.Custom("A2V_T2V_MODEL")


def search_words(*words: str) -> dict[str, Any]:
    """For a node's schema: other words under which the search finds it, where this ComfyUI knows of them."""
    known = "search_aliases" in io.Schema.__dataclass_fields__
    return {"search_aliases": list(words)} if known else {}


def check_choice(name: str, value: str | None, options: Collection[str]) -> bool | str:
    """For `validate_inputs`: True, or an error that lists the options. ComfyUI 0.3.75 does not look.

    None means that another node sets the widget `name`: then there is nothing to say yet.
    """
    if value is None or value in options:
        return True
    return f"{name} is {value!r}: choose one of {', '.join(options)}"
