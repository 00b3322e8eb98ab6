"""The benchmark of audio adapters on the smallest Wan, in a real ComfyUI."""

from __future__ import annotations

from a2v_core.headless.server import find_comfyui
from benchmarks.adapter.__main__ import as_text, measure
from benchmarks.adapter.models import Size

SMALL = Size(
    heads=1, layers=4, ffn=128, token_width=64, inner=64, adapter_heads=2, frames=9, width=32, height=32
)


def test_all_numbers_are_there() -> None:
    facts = measure(find_comfyui(), ["tiny"], "cpu", steps=1, runs=3, sizes={"tiny": SMALL})
    every, one = facts["tiny"], facts["tiny"]["one_thread"]
    assert one["threads"] == 1
    for row in (every, one):
        assert min(row[key] for key in ("slowdown", "slowdown_at_zero", "first_run")) > 0.1
        # Two blocks: 128 -> 64 and back, 64 -> 64 twice, a bias of 64 -> 128, norms; 4 bytes a weight.
        per_block = 2 * 128 * 64 + 64 + 128 + 2 * (64 * 64 + 64) + 64 * 128 + 128 + 2 * 32
        assert abs(row["weights_mb"] - 2 * per_block * 4 / 2**20) < 0.02
        assert row["extra_mb"] >= 0
    report = as_text(facts).splitlines()
    assert len(report) == 5
    assert report[3].split()[:2] == ["tiny", "1"]
