"""Tokens to frames: prompt splicing, the frozen text-to-video model, sampling, and video files."""

from __future__ import annotations

from .per_frame import PerFrameText, checkpoint_blocks, denoise, per_frame_text

__all__ = ["PerFrameText", "checkpoint_blocks", "denoise", "per_frame_text"]
