"""Curves and onsets -> a value for every frame of a video."""

from .axis import FrameAxis, frame_axis
from .frames import curve_frames, onset_frames, unit_frames
from .keyframes import keyframe_text, keyframes, parse_keyframes
from .schedule import Schedule, curve_schedule, schedule_of, sound_schedule
from .shape import Shape, shaped

__all__ = [
    "FrameAxis",
    "Schedule",
    "Shape",
    "curve_frames",
    "curve_schedule",
    "frame_axis",
    "keyframe_text",
    "keyframes",
    "onset_frames",
    "parse_keyframes",
    "schedule_of",
    "shaped",
    "sound_schedule",
    "unit_frames",
]
