"""Previews as pictures over time: what the model hears, sound events and cut lists."""

from .changes import token_changes
from .cuts_picture import cuts_pixels
from .events_picture import events_pixels
from .picture import preview_pixels

__all__ = ["cuts_pixels", "events_pixels", "preview_pixels", "token_changes"]
