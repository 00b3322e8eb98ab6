"""Sound -> what steers a graph: schedules, events, timed prompts and cuts. It needs no trained adapter.

analysis   onsets, levels, bands and flux of a sound or a file, in one pass and bounded memory
schedule   a value for every video frame, shaped; keyframe text
events     what is heard when: onsets with their classes, sustained sounds, names
cuts       tempo, shots that snap to beats, lengths on a model's grid, prompts with times
"""

from .analysis import SIGNALS, Measured, Onset, measure
from .schedule import FrameAxis, Schedule, Shape, frame_axis, keyframe_text, parse_keyframes, sound_schedule

__all__ = [
    "SIGNALS",
    "FrameAxis",
    "Measured",
    "Onset",
    "Schedule",
    "Shape",
    "frame_axis",
    "keyframe_text",
    "measure",
    "parse_keyframes",
    "sound_schedule",
]
