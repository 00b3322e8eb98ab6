"""Previews as pictures over time: what the model hears, sound events, cut lists and schedules."""

from .changes import token_changes
from .cuts_picture import cuts_pixels
from .events_picture import events_pixels
from .picture import preview_pixels
from .schedule_picture import schedule_pixels

__all__ = ["cuts_pixels", "events_pixels", "preview_pixels", "schedule_pixels", "token_changes"]
