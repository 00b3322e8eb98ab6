"""Sound files, and the sound track of videos, to samples: decoded by PyAV, cut exactly to the sample."""

import math
from pathlib import Path

import av
import numpy as np
import torch
from av.error import FFmpegError
from numpy.typing import NDArray

from ..errors import MediaError
from .decode import Track
from .features import Waveform
from .resample import check_finite

# Below this, decoding from the start costs next to nothing. A seek goes this much too far back, for decoders
# need some packets to settle.
_SEEK_FROM_SECONDS = 10.0
_SEEK_LEAD_SECONDS = 1.0


def load_audio(path: str | Path, start: float = 0.0, duration: float = 0.0) -> Waveform:
    """Decode a sound file, or the first sound track of a video, with all its channels at its own rate.

    start     seconds to skip; second 0 of a video is its first picture (a track that starts later is
              preceded by silence)
    duration  seconds to read from there; 0 reads to the end, and so does more than there is

    Raises MediaError for a file that is missing, empty, not audio, damaged or cut off within the wanted part,
    for a video without sound, for samples that are NaN or infinite, and for a start beyond the end.
    """
    path = Path(path)
    if not path.is_file():
        raise MediaError(f"{path}: no such file; check the name, or put the file there")
    if path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty; copy or export it again")
    if not (0 <= start < math.inf and 0 <= duration < math.inf):
        raise MediaError(f"{path}: start and duration must be 0 s or more, got {start} s and {duration} s")
    wave = _read(path, start, duration, seek=True) if start > _SEEK_FROM_SECONDS else None
    wave = wave or _read(path, start, duration, seek=False)
    if wave is None:
        raise MediaError(f"{path}: a duration of {duration} s holds no sample; choose a longer one")
    check_finite(wave.samples, str(path))
    return wave


def _read(path: Path, start: float, duration: float, seek: bool) -> Waveform | None:
    """The wanted part; None if there is none, or if a seek cannot be trusted to lead there."""
    try:
        # Some files are lists of other files: nothing but the disk is ever asked.
        options = {"protocol_whitelist": "file"}
        with av.open(str(path), options=options, metadata_errors="ignore") as container:
            track = Track(container, path)
            if seek and not track.seek(start - _SEEK_LEAD_SECONDS):
                return None
            return _collect(track, start, duration)
    except FFmpegError as error:
        raise MediaError(
            f"{path}: not a sound or video file that can be read, or cut off ({error.strerror}); "
            "check that it plays, or export it as WAV, FLAC, MP3, M4A, OGG or MP4"
        ) from error


def _collect(track: Track, start: float, duration: float) -> Waveform | None:
    parts: list[NDArray[np.float32]] = []
    rate = end = first = 0
    for block in track.blocks():
        if not rate:
            rate, first = block.rate, round(start * block.rate)
            if track.seeked and block.position > first:
                return None
        stop = round((start + duration) * rate) if duration else None
        end = block.position + block.samples.shape[1]
        limit = None if stop is None else max(0, stop - block.position)
        wanted = block.samples[:, max(0, first - block.position) : limit]
        silence = block.position - first if stop is None else min(block.position, stop) - first
        if silence > 0 and not parts:
            parts.append(np.zeros((len(wanted), silence), np.float32))
        if wanted.shape[1]:
            parts.append(wanted)
        if stop is not None and end >= stop:
            break
    if not parts:
        _explain_nothing(track, start, end, rate)
        return None
    if any(len(part) != len(parts[0]) for part in parts):
        raise MediaError(f"{track.path}: the channels change within the sound; export it as WAV first")
    return Waveform(torch.from_numpy(np.concatenate(parts, axis=1)), rate)


def _explain_nothing(track: Track, start: float, end: int, rate: int) -> None:
    """Raise MediaError when the wanted part lies outside the sound, as far as this pass can tell."""
    if track.seeked or (rate and end > start * rate):
        return
    if end <= 0:
        raise MediaError(f"{track.path}: holds no sound at all (zero length); choose another file")
    raise MediaError(
        f"{track.path}: start {start} s is beyond the end of the sound ({end / rate:.3f} s); "
        "choose an earlier start"
    )
