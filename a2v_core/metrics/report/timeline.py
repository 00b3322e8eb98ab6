"""Timeline plot of one clip: onset strength above, motion below, matched peaks joined, missed ones hollow;
under it the lag over time, if the clip is longer than a stretch of it, and frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...drawing import (
    MATCH,
    PAPER,
    PICTURE,
    SHADE,
    SOUND,
    Canvas,
    PixelCanvas,
    SvgCanvas,
    TimeAxis,
    area,
    rectangle,
    seconds_axis,
)
from ..alignment import Record, ScoredClip, clip_curves
from .lag_lane import LANE_HEIGHT, draw_lags

WIDTH, HEIGHT = 768, 300
STRIP_HEIGHT = 84
_EDGE, _LEFT, _RIGHT, _TOP, _PANEL, _GAP, _MARK = 12, 74, 16, 56, 74, 52, 6.0


def draw_timeline(canvas: Canvas, curves: Record, title: str, subtitle: str) -> None:
    """Draw what `clip_curves` gives, `timeline_height` pixels high, on a canvas of any width."""
    axis = _axis(curves, canvas.width)
    sound_floor, motion_floor = _TOP + _PANEL, _TOP + 2 * _PANEL + _GAP
    canvas.text(_EDGE, 20, title, 16)
    canvas.text(_EDGE, 40, subtitle, 13)
    _shade_outside(canvas, axis, curves, motion_floor)
    envelope = _curve(curves["envelope"], 0.0, curves["envelope_seconds"])
    area(canvas, axis, envelope, sound_floor, _PANEL, SOUND)
    half_frame = 0.5 / curves["fps"]  # a value of the flow belongs to the middle between two frames
    area(
        canvas,
        axis,
        _curve(curves["flow"], -half_frame, curves["flow_seconds"]),
        motion_floor,
        _PANEL,
        PICTURE,
    )
    for floor, colour, side, curve in (
        (sound_floor, SOUND, "sound", "onsets"),
        (motion_floor, PICTURE, "picture", "motion"),
    ):
        canvas.text(_EDGE, floor - _PANEL / 2, side, 13, colour)
        canvas.text(_EDGE, floor - _PANEL / 2 + 15, curve, 11, colour)
    _peaks(canvas, axis, curves, sound_floor, motion_floor)
    seconds_axis(canvas, axis, motion_floor)
    _legend(canvas, motion_floor + 38)
    if _has_lags(curves):
        draw_lags(canvas, axis, curves, HEIGHT)


def timeline_height(curves: Record) -> int:
    """Pixels of the timeline of a clip, without frames."""
    return HEIGHT + (LANE_HEIGHT if _has_lags(curves) else 0)


def timeline_svg(curves: Record, title: str, subtitle: str, width: int = WIDTH) -> str:
    """The timeline of a clip as an <svg> element."""
    canvas = SvgCanvas(width, timeline_height(curves), title)
    draw_timeline(canvas, curves, title, subtitle)
    return canvas.svg()


def timeline_pixels(
    scored: ScoredClip, frames: Sequence[np.ndarray[Any, np.dtype[np.uint8]]]
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The timeline of a clip as pixels, uint8 [H, 768, 3], with up to 16 of its frames underneath.

    frames  uint8 [H, W, 3] RGB, all of the clip's frames or any sequence of the same length that makes them
    """
    strip = STRIP_HEIGHT if len(frames) else 0
    curves = clip_curves(scored)
    height = timeline_height(curves)
    canvas = PixelCanvas(WIDTH, height + strip)
    draw_timeline(canvas, curves, *headings(scored))
    if len(frames):
        _frames(canvas, _axis(curves, WIDTH), frames, curves["flow_seconds"], height)
    return canvas.pixels()


def headings(scored: ScoredClip) -> tuple[str, str]:
    """Title and subtitle: both scores, and matches, chance level and p-value of the trusted one."""
    published, trusted = scored.published, scored.trusted
    title = f"AV-Align {_number(published.score)} ({published.variant})"
    if trusted.score is None:
        return title, trusted.reason
    title += f"    trusted {_number(trusted.score)}    chance-corrected {_number(trusted.corrected)}"
    lag = "" if trusted.mean_lag_ms is None else f", picture {_lag(trusted.mean_lag_ms)}"
    found = f"{len(trusted.audio_peaks)} onsets and {len(trusted.video_peaks)} motion peaks"
    return title, (
        f"{len(trusted.matches)} matched of {found} (within {1000 * trusted.tolerance:g} ms{lag}); "
        f"chance {_number(trusted.chance)}, p = {_number(trusted.p_value)}"
    )


def _axis(curves: Record, width: int) -> TimeAxis:
    return TimeAxis(max(curves["seconds"], 1e-3), _LEFT, width - _RIGHT)


def _lag(milliseconds: float) -> str:
    return f"{abs(milliseconds):.0f} ms {'late' if milliseconds > 0 else 'early'}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _shade_outside(canvas: Canvas, axis: TimeAxis, curves: Record, floor: float) -> None:
    """Grey outside the window in which peaks can match."""
    start, end = curves["window"]
    for left, right in ((0.0, start), (end, curves["seconds"])):
        if right - left > 1e-6:
            x = axis.x(left)
            canvas.polygon(rectangle(x, _TOP, axis.x(right) - x, floor - _TOP), SHADE)


def _curve(values: list[float], start: float, seconds: float) -> list[tuple[float, float]]:
    """(time, value) of values at even distances over `seconds`; what starts before 0 is drawn at 0."""
    step = seconds / max(len(values), 1)
    return [(max(0.0, start + i * step), value) for i, value in enumerate(values)] if seconds > 0 else []


def _peaks(canvas: Canvas, axis: TimeAxis, curves: Record, sound_floor: float, motion_floor: float) -> None:
    """Triangles that point at each other: filled and joined where matched, hollow where missed."""
    matched_audio = {pair[0] for pair in curves["matches"]}
    matched_video = {pair[1] for pair in curves["matches"]}
    upper, lower = sound_floor + _MARK + 3, motion_floor - _PANEL - _MARK - 3
    for audio, video in curves["matches"]:
        start = axis.x(curves["audio_peaks"][audio]), upper + _MARK
        canvas.line([start, (axis.x(curves["video_peaks"][video]), lower - _MARK)], MATCH, 2.2)
    for number, time in enumerate(curves["audio_peaks"]):
        canvas.line([(axis.x(time), _TOP), (axis.x(time), sound_floor)], SOUND, 1, dashed=True)
        _triangle(canvas, axis.x(time), upper, 1, SOUND, number in matched_audio)
    for number, time in enumerate(curves["video_peaks"]):
        canvas.line(
            [(axis.x(time), motion_floor - _PANEL), (axis.x(time), motion_floor)], PICTURE, 1, dashed=True
        )
        _triangle(canvas, axis.x(time), lower, -1, PICTURE, number in matched_video)


def _triangle(canvas: Canvas, x: float, y: float, way: int, colour: str, filled: bool) -> None:
    """A triangle pointing down (way 1) or up (-1)."""
    corners = [(x - _MARK, y - way * _MARK), (x + _MARK, y - way * _MARK), (x, y + way * _MARK)]
    canvas.polygon(corners, colour if filled else PAPER, outline=colour)


def _legend(canvas: Canvas, y: float) -> None:
    x = float(_EDGE) + _MARK
    for colour, way, filled, words in (
        (SOUND, 1, True, "onset, matched"),
        (SOUND, 1, False, "missed"),
        (PICTURE, -1, True, "motion peak, matched"),
        (PICTURE, -1, False, "missed"),
    ):
        _triangle(canvas, x, y - 5, way, colour, filled)
        canvas.text(x + 12, y, words, 12)
        x += 34 + 6.6 * len(words)
    canvas.polygon(rectangle(x - 6, y - 11, 14, 12), SHADE)
    canvas.text(x + 14, y, "not judged", 12)


def _has_lags(curves: Record) -> bool:
    """Whether the clip is longer than one stretch, of which the subtitle has the lag."""
    return len(curves["lags"]) > 1


def _frames(
    canvas: PixelCanvas,
    axis: TimeAxis,
    frames: Sequence[np.ndarray[Any, np.dtype[np.uint8]]],
    seconds: float,
    top: float,
) -> None:
    """A strip of frames, each under the time at which it is shown."""
    height, width = frames[0].shape[:2]
    tall = STRIP_HEIGHT - 12
    wide = max(8, min(160, round(tall * width / height)))
    tall = max(4, min(tall, round(wide * height / width)))
    room = axis.x(seconds) - _LEFT
    count = max(1, min(16, len(frames), int(room // (wide + 2))))
    for number in range(count):
        index = round(number * len(frames) / count)
        canvas.paste(_LEFT + room * number / count, top + 2, frames[index], wide, tall)
