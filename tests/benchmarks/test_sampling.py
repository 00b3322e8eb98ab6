"""The sampler against its peers, on a short clip of the bundled model."""

from __future__ import annotations

import json

import pytest

from benchmarks.sampling import TOLERANCE, main

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
