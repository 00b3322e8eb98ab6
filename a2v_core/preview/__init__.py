"""Preview of what the model hears: a sound and its audio tokens as one picture over time."""

from .changes import token_changes
from .picture import preview_pixels

__all__ = ["preview_pixels", "token_changes"]
