"""What the model hears: a sound and the tokens made of it, as one picture over time."""

from .changes import token_changes
from .picture import hearing_pixels, hearing_svg

__all__ = ["hearing_pixels", "hearing_svg", "token_changes"]
