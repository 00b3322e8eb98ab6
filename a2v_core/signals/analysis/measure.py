"""One pass over a sound: onsets, and as many curves as are asked for.

A file is decoded in a thread of its own meanwhile. What is kept grows by some kilobytes for every second.

Legend: C channels, N samples.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import MediaError
from ...optional import require
from .bands import BandMeter
from .curve import Curve
from .kinds import FLUX, LOUDNESS, ONSET, RMS, band_of
from .levels import LevelMeter, LoudnessMeter
from .onsets import Onset, OnsetMeter
from .source import Floats, Sound, SoundStream, open_stream
from .spectra import decimation

_BLOCKS_AHEAD = 2


@dataclass(frozen=True)
class Measured:
    """duration in seconds; onsets in order of time; the curve of every signal that was asked for."""

    duration: float
    onsets: tuple[Onset, ...]
    curves: dict[str, Curve] = field(default_factory=dict)


def measure(sound: Sound, signals: Sequence[str] = (ONSET,)) -> Measured:
    """Measure signals of a sound, a file of any length in bounded memory.

    signals  of `SIGNALS` ("onset", "flux", "rms", "loudness"), a band by name ("bass") or as "80-200";
             onsets are found where "onset" or "flux" is among them
    A2VError for another signal, MediaError for a sound that cannot be read.
    """
    stream = open_stream(sound)
    bands = {name: band for name in signals if (band := band_of(name)) is not None}
    working = stream.rate // decimation(stream.rate)
    onsets = OnsetMeter(working) if {ONSET, FLUX} & set(signals) else None
    band_meter = BandMeter(working, list(bands.values())) if bands else None
    monos = [meter for meter in (onsets, band_meter) if meter is not None]
    levels = {
        name: kind(stream.rate, stream.channels)
        for name, kind in ((RMS, LevelMeter), (LOUDNESS, LoudnessMeter))
        if name in signals
    }
    decimate = _Decimation(stream.rate, working)
    count = 0
    for block, last in _with_last(_ahead(stream)):
        count += block.shape[1]
        for level in levels.values():
            level.feed(block)
        if monos:
            mono = decimate(block.sum(axis=0) / np.float32(len(block)), last)
            for meter in monos:
                meter.feed(mono)
    if not count:
        raise MediaError(f"{sound}: holds no sound at all (zero length); choose another file")
    curves = {name: level.finish() for name, level in levels.items()}
    found: tuple[Onset, ...] = ()
    if onsets is not None:
        flux, found = onsets.finish()
        if FLUX in signals:
            curves[FLUX] = flux
    if band_meter is not None:
        curves |= dict(zip(bands, band_meter.finish(), strict=True))
    return Measured(count / stream.rate, found, curves)


class _Decimation:
    """Mono blocks at the working rate."""

    def __init__(self, rate: int, working: int) -> None:
        self._stream: Any = None
        if rate != working:
            soxr = require("soxr", "Signals of sounds at 88.2 kHz and more")
            self._stream = soxr.ResampleStream(rate, working, 1, dtype="float32", quality="HQ")

    def __call__(self, samples: Floats, last: bool) -> Floats:
        if self._stream is None:
            return samples
        part: Floats = self._stream.resample_chunk(np.ascontiguousarray(samples), last=last)
        return part


def _with_last(blocks: Iterator[Floats]) -> Iterator[tuple[Floats, bool]]:
    """Every block, and whether it is the last."""
    held = next(blocks, None)
    while held is not None:
        following = next(blocks, None)
        yield held, following is None
        held = following


def _ahead(stream: SoundStream) -> Iterator[Floats]:
    """The blocks, decoded by a thread while others are analysed. Its errors are raised here."""
    handed: queue.Queue[Floats | BaseException | None] = queue.Queue(_BLOCKS_AHEAD)
    stop = threading.Event()

    def put(item: Floats | BaseException | None) -> None:
        while not stop.is_set():
            try:
                handed.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def decode() -> None:
        try:
            for block in stream.blocks:
                put(block)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:  # handed over, raised by the reader
            put(error)

    thread = threading.Thread(target=decode, daemon=True)
    thread.start()
    try:
        while (item := handed.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()
