"""A schedule at the socket CURVE, which ComfyUI has from 0.19 on: a function over 0 to 1."""

from __future__ import annotations

from typing import Any

import comfy_api.input
from comfy_api.latest import io

from ..a2v_core.signals import Schedule, keyframes

Curve = io.Custom("CURVE")


def as_curve(schedule: Schedule) -> Any:
    """The schedule from its first frame, at 0, to its last, at 1; straight lines between the keyframes.

    Core's own class where this ComfyUI has it. Before that nothing takes a CURVE: then it is what core's
    `CurveInput.from_raw` reads.
    """
    last = max(1, schedule.axis.frames - 1)
    points = [(frame / last, value) for frame, value in keyframes(schedule.values)]
    linear = getattr(comfy_api.input, "LinearCurve", None)
    return {"points": points, "interpolation": "linear"} if linear is None else linear(points)
