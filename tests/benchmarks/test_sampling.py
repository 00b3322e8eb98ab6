"""The sampler against its peers, on a short clip of the bundled model."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks.sampling import RATIOS, TOLERANCE, main, with_one_thread

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


def test_exact_mode_equals_its_peers_and_the_others_are_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--frames", "6", "--steps", "4", "--runs", "1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert max(facts["largest_difference"].values()) < TOLERANCE / 10
    assert set(facts["times"]) == {
        "diffusers",
        "ours, text",
        "published",
        "ours, exact",
        "ours, again",
        "ours, fast",
        "ours, few steps",
        "ours, LoRA",
    }
    for name, stages in facts["times"].items():
        parts = [stage["median"] for key, stage in stages.items() if key != "clip"]
        assert sum(parts) == pytest.approx(stages["clip"]["median"], abs=0.02), name
    assert min(facts["fast_psnr_db"], facts["few_step_psnr_db"]) > 10


def test_ratios_with_one_thread_stand_beside_those_with_all() -> None:
    seen: list[int] = []

    def measured() -> dict[str, float]:
        seen.append(torch.get_num_threads())
        return dict.fromkeys(RATIOS, float(len(seen)))

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        facts = with_one_thread(measured)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [2, 1]
    assert facts["exact_speedup"] == 1.0
    assert facts["one_thread"] == dict.fromkeys(RATIOS, 2.0)
    torch.set_num_threads(1)
    assert "one_thread" not in with_one_thread(measured)
