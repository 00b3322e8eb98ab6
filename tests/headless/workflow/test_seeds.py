"""One seed for every node that draws."""

from __future__ import annotations

from typing import Any

import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless.workflow import apply_seed

INFO: dict[str, Any] = {
    "Sampler": {"input": {"required": {"seed": ["INT", {}], "steps": ["INT", {}]}}},
    "Noise": {"input": {"required": {"noise_seed": ["INT", {}]}}},
    "Number": {"input": {"required": {"value": ["INT", {"control_after_generate": True}]}}},
    "Text": {"input": {"required": {"seed": ["STRING", {}]}}},
}


def prompt() -> dict[str, Any]:
    return {
        "1": {"class_type": "Sampler", "inputs": {"seed": 5, "steps": 20}},
        "2": {"class_type": "Noise", "inputs": {"noise_seed": 6}},
        "3": {"class_type": "Number", "inputs": {"value": 7}},
        "4": {"class_type": "Sampler", "inputs": {"seed": ["3", 0], "steps": 20}},
        "5": {"class_type": "Text", "inputs": {"seed": "a word"}},
    }


def test_it_goes_where_a_seed_is_a_number() -> None:
    changed = prompt()
    apply_seed(changed, INFO, 42, {("2", "noise_seed")})
    assert {number: node["inputs"] for number, node in changed.items()} == {
        "1": {"seed": 42, "steps": 20},
        "2": {"noise_seed": 6},
        "3": {"value": 42},
        "4": {"seed": ["3", 0], "steps": 20},
        "5": {"seed": "a word"},
    }


def test_a_workflow_that_draws_nothing() -> None:
    with pytest.raises(WorkflowError, match="no node of this workflow takes a seed"):
        apply_seed({"5": prompt()["5"]}, INFO, 1)
