"""The widgets that shape a schedule, and what they make."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..a2v_core.signals import Shape

_DEFAULTS = Shape(release=0.2)
_SECONDS = {
    "attack": "Seconds of the rise up to a peak; it begins before the peak, which stays on its frame.",
    "release": "Seconds of the fall after a peak, to a thousandth. 0 = a hit is one frame long.",
    "hold": "Seconds that a value stays up before it falls.",
    "smoothing": "Seconds: standard deviation of a symmetric Gaussian over all. 0 = off.",
}
_LEVELS = {
    "floor": "What becomes 0, before anything else; the rest is stretched up to ceiling and clipped.",
    "ceiling": "What becomes 1, before anything else.",
    "threshold": "Values below it become 0, after the stretching.",
}
_RANGE = {
    "low": "What 0 becomes in the result; may be greater than high.",
    "high": "What 1 becomes in the result.",
}


def shape_inputs() -> list[io.Input]:
    """A widget for every field of `Shape`; `release` starts at 0.2 s, so that hits can be seen."""
    return [
        *(_number(name, text, 0.0, 60.0) for name, text in _SECONDS.items()),
        *(_number(name, text, 0.0, 1.0) for name, text in _LEVELS.items()),
        _number("gamma", "Power: above 1 favours peaks, below 1 lifts what is soft.", 0.01, 100.0),
        io.Boolean.Input("invert", default=_DEFAULTS.invert, tooltip="1 - value, before low and high."),
        *(_number(name, text, -1000.0, 1000.0) for name, text in _RANGE.items()),
    ]


def shape_of(widgets: dict[str, Any]) -> Shape:
    """The shape that the widgets say. A2VError for what cannot be."""
    return Shape(**{name: widgets[name] for name in Shape.__dataclass_fields__})


def _number(name: str, text: str, low: float, high: float) -> io.Input:
    default = getattr(_DEFAULTS, name)
    return io.Float.Input(name, default=default, min=low, max=high, step=0.01, round=0.001, tooltip=text)
