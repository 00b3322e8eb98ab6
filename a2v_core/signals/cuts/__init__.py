"""Tempo and beats, cut lists on a model's grid of lengths, and prompts with times."""

from .cut_text import cuts_record, cuts_table, lengths_text
from .formats import (
    PROMPT_FORMATS,
    Relay,
    deforum_text,
    fizz_text,
    prompt_relay,
    prompts_record,
    srt_text,
    timestamp_text,
)
from .grid import ANY_LENGTH, LENGTH_GRIDS, LengthGrid, parse_grid
from .joint import joint_prompt
from .marks import audible, beat_marks, onset_marks
from .parts import SoundPart, sound_part
from .prompted import HITS, PROMPTED, heard_prompts
from .prompts import (
    PromptTrack,
    TimedPrompt,
    cut_prompts,
    event_prompts,
    prompt_axis,
    prompt_track,
    segment_prompts,
)
from .shots import CutList, Mark, Shot, cut_list
from .sound_cuts import (
    BEATS,
    CUT_ON,
    ONSETS,
    SoundCuts,
    sound_cuts,
    sound_cuts_record,
    sound_cuts_text,
)
from .tempo import NO_BEATS, Beats, find_beats

__all__ = [
    "ANY_LENGTH",
    "BEATS",
    "CUT_ON",
    "HITS",
    "LENGTH_GRIDS",
    "NO_BEATS",
    "ONSETS",
    "PROMPTED",
    "PROMPT_FORMATS",
    "Beats",
    "CutList",
    "LengthGrid",
    "Mark",
    "PromptTrack",
    "Relay",
    "Shot",
    "SoundCuts",
    "SoundPart",
    "TimedPrompt",
    "audible",
    "beat_marks",
    "cut_list",
    "cut_prompts",
    "cuts_record",
    "cuts_table",
    "deforum_text",
    "event_prompts",
    "find_beats",
    "fizz_text",
    "heard_prompts",
    "joint_prompt",
    "lengths_text",
    "onset_marks",
    "parse_grid",
    "prompt_axis",
    "prompt_relay",
    "prompt_track",
    "prompts_record",
    "segment_prompts",
    "sound_cuts",
    "sound_cuts_record",
    "sound_cuts_text",
    "sound_part",
    "srt_text",
    "timestamp_text",
]
