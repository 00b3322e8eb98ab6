"""The widgets for how fast and how long a video is, and for numbers of frames that a video model makes."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.signals.cuts import LENGTH_GRIDS, LengthGrid, parse_grid

CUSTOM = "custom"
LENGTHS = [*LENGTH_GRIDS, CUSTOM]


def fps_input() -> io.Float.Input:
    """The frame rate. The front end rounds to the step, so it is fine enough for 23.976."""
    return io.Float.Input(
        "fps",
        default=24.0,
        min=0.01,
        max=1000.0,
        step=0.001,
        round=0.001,
        tooltip="Frames per second of the video; 23.976 and 29.97 are exact.",
    )


def frames_input(tooltip: str) -> io.Int.Input:
    """A number of frames; 0 lets the sound or another widget say it."""
    return io.Int.Input("frames", default=0, min=0, max=10_000_000, tooltip=tooltip)


def lengths_input() -> io.Combo.Input:
    """The dropdown of video models."""
    return io.Combo.Input(
        "lengths",
        options=LENGTHS,
        default="any",
        tooltip="Numbers of frames that the video model makes. custom = as custom_lengths says.",
    )


def custom_input() -> io.String.Input:
    """The form of other models' numbers."""
    return io.String.Input(
        "custom_lengths",
        default="8n+1",
        tooltip="For custom: the form of the numbers of frames, such as 12n+3.",
    )


def length_grid(lengths: str, custom: str) -> LengthGrid:
    """What both widgets say. A2VError for a form that is none."""
    return parse_grid(custom) if lengths == CUSTOM else LENGTH_GRIDS[lengths]
