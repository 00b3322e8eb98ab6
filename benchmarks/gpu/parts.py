"""The parts of `benchmarks.gpu`, most important first. Imports nothing heavy: the runner starts at once."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """A row of the table.

    module   the one that has its STEPS
    share    of the time, beside those of the other parts that are still to come
    about    its title in the report
    """

    name: str
    module: str
    share: float
    about: str


PARTS = (
    Part("parity", "benchmarks.gpu.parity", 60, "The same numbers as on a CPU"),
    Part("nodes", "benchmarks.gpu.nodes", 85, "The nodes in a real ComfyUI"),
    Part("full_size", "benchmarks.gpu.full_size", 110, "A model of the published size"),
    Part("long_video", "benchmarks.gpu.long_video", 40, "Long videos"),
    Part("adapter", "benchmarks.gpu.adapter", 50, "An audio adapter on a Wan of 1.3 G parameters"),
    Part("training", "benchmarks.gpu.training", 45, "Training"),
    Part("demo", "benchmarks.gpu.demo", 150, "Demo models by the clock"),
)
