"""What the training of every family of models has to do."""

from __future__ import annotations

from typing import Any

import pytest

from training.cache.build import precompute
from training.config import make_config
from training.loop import fit
from training.parts import read_lines


def check_same_losses(settings: dict[str, Any]) -> None:
    """Two steps from the cache with checkpointing, and without either, have the same losses."""
    settings["run"] |= {"steps": 2}
    cached = make_config(settings)
    precompute(cached, progress=False)
    fit(cached, progress=False)
    settings["output_dir"] += "-direct"
    settings["run"] |= {"gradient_checkpointing": False}
    direct = make_config(settings)
    fit(direct, progress=False)
    one, two = (read_lines(config.output_dir / "metrics.jsonl") for config in (cached, direct))
    assert [line["loss"] for line in one] == pytest.approx([line["loss"] for line in two], rel=1e-5)
