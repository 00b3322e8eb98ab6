"""The preview picture: waveform, onsets, change of the words, attention, over seconds and frames.

Colours and marks are those of the AV-Align picture. Legend: C channels, N samples, F video frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..audio import Onsets, Waveform
from ..drawing import (
    COUNTS,
    FAINT,
    HEADROOM,
    INK,
    OTHER,
    PICTURE,
    SHADE,
    SOUND,
    Canvas,
    PixelCanvas,
    TimeAxis,
    area,
    rectangle,
    seconds_axis,
    tick_of,
    waveform,
)
from ..errors import A2VError
from ..tokens import AudioTokens, in_prompt
from .changes import token_changes

WIDTH = 768
MIN_WIDTH, MAX_WIDTH = 384, 8192
_EDGE, _LEFT, _RIGHT, _TOP, _PANEL, _GAP = 12, 92, 20, 52, 64, 14
_FRAME_PIXELS = 5.0  # frame marks closer than this would run together


@dataclass(frozen=True)
class _Steps:
    """A step function: a value for every frame, constant while it is shown."""

    values: list[float]
    fps: float

    def points(self) -> list[tuple[float, float]]:
        return [(edge / self.fps, value) for i, value in enumerate(self.values) for edge in (i, i + 1)]


def preview_pixels(
    sound: Waveform, onsets: Onsets, tokens: AudioTokens | None, width: int = WIDTH
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture as pixels, uint8 [H, width, 3]; H = 230 without tokens, up to 412 with them.

    onsets  of this sound: `audio.detect_onsets`, best through `audio.trusted_onsets`
    tokens  the words of every frame, from `AudioMapper.pool`; without them only the sound is drawn

    Raises A2VError for a width outside 384 to 8192 pixels.
    """
    if not MIN_WIDTH <= width <= MAX_WIDTH:
        raise A2VError(f"the picture's width is {width} pixels: expected {MIN_WIDTH} to {MAX_WIDTH}")
    canvas = PixelCanvas(width, _height(tokens))
    _draw(canvas, sound, onsets, tokens)
    return canvas.pixels()


def _height(tokens: AudioTokens | None) -> int:
    axes = 36 if tokens is None else 62
    return _TOP + _panels(tokens) * (_PANEL + _GAP) - _GAP + axes


def _panels(tokens: AudioTokens | None) -> int:
    return 2 + (0 if tokens is None else 1 + (tokens.attention is not None))


def _draw(canvas: Canvas, sound: Waveform, onsets: Onsets, tokens: AudioTokens | None) -> None:
    video = tokens.num_frames / tokens.fps if tokens is not None else sound.duration
    axis = TimeAxis(max(sound.duration, video, 1e-3), _LEFT, canvas.width - _RIGHT)
    floors = [_TOP + _PANEL + number * (_PANEL + _GAP) for number in range(_panels(tokens))]
    for number, line in enumerate(_headings(sound, onsets, tokens)):
        canvas.text(_EDGE, 20 + 18 * number, line, 15 - 2 * number)
    if video < axis.seconds:
        x = axis.x(video)
        canvas.polygon(rectangle(x, _TOP, axis.right - x, floors[-1] - _TOP), SHADE)
    for time in onsets.times:
        canvas.line([(axis.x(time), _TOP), (axis.x(time), floors[-1])], SOUND, 1, dashed=True)
    _name(canvas, floors[0], "sound", "waveform", SOUND)
    waveform(
        canvas,
        axis,
        sound.samples.detach().float().mean(dim=0).cpu().numpy(),
        sound.duration,
        floors[0],
        _PANEL,
    )
    _name(canvas, floors[1], "onsets", f"{len(onsets.times)} found", SOUND)
    envelope = [(i * onsets.hop_seconds, value) for i, value in enumerate(onsets.envelope)]
    area(canvas, axis, [p for p in envelope if p[0] <= axis.seconds], floors[1], _PANEL, SOUND)
    if tokens is not None:
        _words(canvas, axis, tokens, floors[2])
        if tokens.attention is not None:
            _attention(canvas, axis, _Steps(tokens.attention.tolist(), tokens.fps), floors[3])
        _frames(canvas, axis, tokens, floors[-1] + 26)
    seconds_axis(canvas, axis, floors[-1])


def _headings(sound: Waveform, onsets: Onsets, tokens: AudioTokens | None) -> tuple[str, str]:
    summary = f"{sound.duration:.2f} s of sound, {len(onsets.times)} onset{'s' * (len(onsets.times) != 1)}"
    if tokens is None:
        return summary, "no audio tokens connected"
    seconds = tokens.num_frames / tokens.fps
    words = in_prompt(tokens.words)
    return f"{summary}    {tokens.num_frames} frames at {tokens.fps:g} fps = {seconds:.2f} s", words


def _name(canvas: Canvas, floor: float, name: str, detail: str, colour: str) -> None:
    canvas.text(_EDGE, floor - _PANEL / 2, name, 13, colour)
    canvas.text(_EDGE, floor - _PANEL / 2 + 15, detail, 11, colour)


def _words(canvas: Canvas, axis: TimeAxis, tokens: AudioTokens, floor: float) -> None:
    """The frame's own word as an area, the shortest window as a dashed line on the same scale."""
    order = [word for word in tokens.words if word != "class"] or list(tokens.words)
    order = order[:2]
    curves = [_Steps(token_changes(tokens.words[word]).tolist(), tokens.fps) for word in order]
    top = max(1e-9, *(value for curve in curves for value in curve.values))
    _name(canvas, floor, f"<{order[0]}>", "change", PICTURE)
    area(canvas, axis, curves[0].points(), floor, _PANEL, PICTURE, top)
    if len(order) > 1:
        points = [
            (axis.x(time), floor - (_PANEL - HEADROOM) * value / top) for time, value in curves[-1].points()
        ]
        canvas.line(points, INK, 1.2, dashed=True)
        canvas.line([(_EDGE, floor - 8), (_EDGE + 18, floor - 8)], INK, 1.2, dashed=True)
        canvas.text(_EDGE + 22, floor - 4, f"<{order[-1]}>", 11)


def _attention(canvas: Canvas, axis: TimeAxis, attention: _Steps, floor: float) -> None:
    """Attention of every frame in the `class` word, with a line at equal attention."""
    _name(canvas, floor, "<class>", "attention", OTHER)
    top = max(1.5, *attention.values)
    area(canvas, axis, attention.points(), floor, _PANEL, OTHER, top)
    even = floor - (_PANEL - HEADROOM) / top
    canvas.line([(axis.left, even), (axis.right, even)], INK, 1, dashed=True)
    canvas.text(axis.left - 4, even + 4, "even", 11, INK, "end")


def _frames(canvas: Canvas, axis: TimeAxis, tokens: AudioTokens, floor: float) -> None:
    """A mark for every frame where there is room, and the numbers of some."""
    count, each = tokens.num_frames, axis.x(1 / tokens.fps) - axis.left
    mark = tick_of(count, COUNTS, max(1, int(count * each / _FRAME_PIXELS)))
    number = tick_of(count, COUNTS, max(1, int(count * each / 44)))
    canvas.text(_EDGE, floor + 18, "frame", 11)
    for frame in range(0, count, int(mark)):
        x = axis.x(frame / tokens.fps)
        canvas.line([(x, floor), (x, floor + (6 if frame % number == 0 else 3))], FAINT)
        if frame % number == 0:
            canvas.text(x, floor + 18, str(frame), 11, INK, "middle" if frame else "start")
