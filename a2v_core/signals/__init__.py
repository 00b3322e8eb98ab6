"""Sound -> what steers a graph: schedules, events, timed prompts and cuts. It needs no trained adapter.

analysis   onsets, levels, bands and flux of a sound or a file, in one pass and bounded memory
schedule   a value for every video frame, shaped; keyframe text
events     what is heard when: hits and sustained sounds with the names of their classes; phrases for them
cuts       tempo, shots that snap to beats, lengths on a model's grid, prompts with times

Each folder has a door of its own; the names that most callers need are here. `__main__` is the command line.
Names are imported when asked for: the command line says first how it shares the processors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doors import lazy_door

if TYPE_CHECKING:
    from .analysis import FLUX, LOUDNESS, NAMED_BANDS, ONSET, RMS, SIGNALS, Measured, Onset, measure
    from .cuts import (
        LENGTH_GRIDS,
        PROMPT_FORMATS,
        Beats,
        CutList,
        LengthGrid,
        Mark,
        PromptTrack,
        cut_list,
        event_prompts,
        find_beats,
        parse_grid,
        prompt_relay,
    )
    from .events import (
        Event,
        Phrases,
        SoundEvents,
        events_record,
        events_table,
        hits_schedule,
        parse_events,
        parse_phrases,
        presence_schedule,
        sound_events,
    )
    from .schedule import (
        FrameAxis,
        Schedule,
        Shape,
        frame_axis,
        keyframe_text,
        keyframes,
        parse_keyframes,
        schedule_of,
        sound_schedule,
    )

__all__ = [
    "FLUX",
    "LENGTH_GRIDS",
    "LOUDNESS",
    "NAMED_BANDS",
    "ONSET",
    "PROMPT_FORMATS",
    "RMS",
    "SIGNALS",
    "Beats",
    "CutList",
    "Event",
    "FrameAxis",
    "LengthGrid",
    "Mark",
    "Measured",
    "Onset",
    "Phrases",
    "PromptTrack",
    "Schedule",
    "Shape",
    "SoundEvents",
    "cut_list",
    "event_prompts",
    "events_record",
    "events_table",
    "find_beats",
    "frame_axis",
    "hits_schedule",
    "keyframe_text",
    "keyframes",
    "measure",
    "parse_events",
    "parse_grid",
    "parse_keyframes",
    "parse_phrases",
    "presence_schedule",
    "prompt_relay",
    "schedule_of",
    "sound_events",
    "sound_schedule",
]

__getattr__, __dir__ = lazy_door(
    __name__,
    {
        ".analysis": "FLUX LOUDNESS NAMED_BANDS ONSET RMS SIGNALS Measured Onset measure",
        ".cuts": "LENGTH_GRIDS PROMPT_FORMATS Beats CutList LengthGrid Mark PromptTrack cut_list "
        "event_prompts find_beats parse_grid prompt_relay",
        ".events": "Event Phrases SoundEvents events_record events_table hits_schedule parse_events "
        "parse_phrases presence_schedule sound_events",
        ".schedule": "FrameAxis Schedule Shape frame_axis keyframe_text keyframes parse_keyframes "
        "schedule_of sound_schedule",
    },
)
