"""Reading and writing audio and video files. This room knows no model.

All times count from one second 0: of a video its first frame that can be decoded, of a sound file its first
sample. Time stamps are kept: missing packets become silence, and later sound stays in place.
"""

from ..listing import SOUND_ENDINGS, VIDEO_ENDINGS, beside, media_files
from .facts import Facts, Span, file_facts, has_sound
from .fit_sound import fit_sound
from .load import load_audio
from .mp4 import frame_rate, to_uint8, write_video
from .opener import media_tags, open_media, picture_stream, sound_stream
from .pictures import (
    Pixels,
    VideoClip,
    VideoFrames,
    VideoInfo,
    frames_from,
    probe_video,
    quarter_turns,
    read_video,
)
from .resampling import check_finite, resample
from .sound import Block, sound_blocks, without_gaps
from .waveform import Waveform, checked_samples

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
