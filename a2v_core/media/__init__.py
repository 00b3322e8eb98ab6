"""Reading and writing audio and video files. This room knows no model.

All times count from one second 0: of a video its first frame that can be decoded, of a sound file its first
sample. Time stamps are kept: missing packets become silence, and later sound stays in place.

What opens files is imported when asked for: sound and pictures in memory need no PyAV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..doors import lazy_door
from ..listing import SOUND_ENDINGS, VIDEO_ENDINGS, beside, media_files
from .formats import Pixels, frame_rate, to_uint8
from .resampling import check_finite, resample
from .sound_length import fit_sound
from .waveform import Waveform, checked_samples

if TYPE_CHECKING:
    from .facts import Facts, Span, file_facts, has_sound
    from .load import load_audio
    from .mp4 import write_video
    from .opener import media_tags, open_media, picture_stream, sound_stream
    from .pictures import (
        VideoClip,
        VideoFrames,
        VideoInfo,
        frames_from,
        probe_video,
        quarter_turns,
        read_video,
    )
    from .sound import Block, sound_blocks, without_gaps

__all__ = [
    "SOUND_ENDINGS",
    "VIDEO_ENDINGS",
    "Block",
    "Facts",
    "Pixels",
    "Span",
    "VideoClip",
    "VideoFrames",
    "VideoInfo",
    "Waveform",
    "beside",
    "check_finite",
    "checked_samples",
    "file_facts",
    "fit_sound",
    "frame_rate",
    "frames_from",
    "has_sound",
    "load_audio",
    "media_files",
    "media_tags",
    "open_media",
    "picture_stream",
    "probe_video",
    "quarter_turns",
    "read_video",
    "resample",
    "sound_blocks",
    "sound_stream",
    "to_uint8",
    "without_gaps",
    "write_video",
]

__getattr__, __dir__ = lazy_door(
    __name__,
    {
        ".facts": "Facts Span file_facts has_sound",
        ".load": "load_audio",
        ".mp4": "write_video",
        ".opener": "media_tags open_media picture_stream sound_stream",
        ".pictures": "VideoClip VideoFrames VideoInfo frames_from probe_video quarter_turns read_video",
        ".sound": "Block sound_blocks without_gaps",
    },
)
