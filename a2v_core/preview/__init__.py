"""Sounds as pictures over time: with the audio tokens that a model hears, and with a schedule."""

from .changes import token_changes
from .picture import preview_pixels
from .schedule_picture import schedule_pixels

__all__ = ["preview_pixels", "schedule_pixels", "token_changes"]
