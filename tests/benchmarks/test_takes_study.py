"""The study of takes: what is true of a take, and what picks gain."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchmarks.takes_study.sets import take_record
from benchmarks.takes_study.summary import summarise
from training.demo_world.held_out import held_out
from training.demo_world.world import render


def record(f1: float, right: bool, score: float | None, reference: float = 0.5) -> dict[str, Any]:
    corrected = None if score is None else (score - 0.25) / 0.75
    reason = "undefined: the sound is silent" if score is None else ""
    take = {
        "trusted": score,
        "chance": 0.25,
        "corrected": corrected,
        "p_value": 0.1,
        "events": 20,
        "reason": reason,
    }
    return {"f1": f1, "object": right, "take": take, "reference": reference}


@pytest.mark.parametrize("name", ["plain", "two"])
def test_the_truth_of_a_true_video_and_of_a_frozen_one(name: str) -> None:
    scene, sound = held_out(3, name)
    frames = torch.from_numpy(render(scene))
    true = take_record(name == "plain", frames, (scene, sound))
    assert true["f1"] > 0.95
    assert true["object"] is (True if name == "plain" else None)
    assert true["take"]["trusted"] > 0.9
    still = take_record(name == "plain", frames[:1].repeat(24, 1, 1, 1), (scene, sound))
    assert still["f1"] == 0
    assert still["take"]["trusted"] is None


def test_the_gain_of_picks_lies_between_the_mean_and_the_oracle() -> None:
    right = [record(1.0, True, 0.9, 0.8), record(0.5, False, 0.5, 0.4)]
    wrong = [record(0.6, True, 0.8), record(0.8, False, 0.4)]
    one = summarise([right, wrong], 1)
    assert (one["groups"], one["picked"], one["gain_share"]) == (4, 4, None)
    assert one["f1"] == one["f1_mean"] == pytest.approx(0.725)
    two = summarise([right, wrong], 2)
    assert (two["groups"], two["f1"], two["f1_oracle"]) == (2, 0.8, 0.9)
    assert two["gain_share"] == pytest.approx((0.8 - 0.725) / (0.9 - 0.725))
    assert (two["object"], two["object_mean"], two["object_oracle"]) == (1.0, 0.5, 1.0)
    assert two["picked_score"] == pytest.approx((0.65 + 0.55) / 2 / 0.75)
    assert two["mean_score"] < two["equal_score"] < two["picked_score"]
    assert two["reference"] == pytest.approx(0.65)


def test_groups_without_a_score_are_counted() -> None:
    silent = [record(0.0, False, None)] * 2
    assert summarise([silent, [record(1.0, True, 0.9)] * 2], 2)["picked"] == 1
