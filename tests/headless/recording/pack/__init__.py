"""Nodes for recording what the front end sends: their scripts add widgets of their own, as packs do.

Mounted by `tests.headless.recording` and by the tests that run what was recorded; see web/front_end_nodes.js.
"""

from __future__ import annotations

from typing import Any

WEB_DIRECTORY = "./web"


class A2VTestScripted:
    """A script puts the widget `shade` between its own, adds `grain`, and some that are not sent."""

    CATEGORY = "tests"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The inputs, by section."""
        return {
            "required": {"image": ("IMAGE",), "side": ("INT", {"default": 8})},
            "optional": {"word": ("STRING", {"default": "last"})},
        }

    def run(self, image: Any, side: int, word: str = "") -> tuple[Any]:
        """The image as it is."""
        return (image,)


class A2VTestDict:
    """Its script saves the widgets by name, and its format decides which there are (VideoHelperSuite)."""

    CATEGORY = "tests"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The inputs, by section."""
        return {
            "required": {
                "images": ("IMAGE",),
                "frame_rate": ("FLOAT", {"default": 8}),
                "format": (["gif", "h264"],),
                "pingpong": ("BOOLEAN", {"default": False}),
            }
        }

    def run(self, images: Any, **_: Any) -> tuple[Any]:
        """The images as they are."""
        return (images,)


NODE_CLASS_MAPPINGS = {"A2VTestScripted": A2VTestScripted, "A2VTestDict": A2VTestDict}
