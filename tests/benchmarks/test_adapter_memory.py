"""What a training of an adapter is said to need, against every allocation of a small Wan."""

from __future__ import annotations

import pytest

from benchmarks.adapter_memory import compare


@pytest.mark.parametrize("recompute", [True, False])
def test_computed_memory_is_what_a_step_takes(recompute: bool) -> None:
    row = compare(256, 4, 512, 4, 256, "bf16", recompute=recompute)
    assert 0.95 < row["computed"] / row["measured"] < 1.2
