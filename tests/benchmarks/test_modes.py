"""The table of speed modes, from one sound and three modes."""

from __future__ import annotations

import json

import pytest

from benchmarks.modes import as_text, main, measure

pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


def test_modes_are_compared_with_exact_mode() -> None:
    facts = measure(1, ["deep_2", "few_steps"], steps=10)
    modes = facts["modes"]
    assert list(modes) == ["exact", "deep_2", "few_steps"]
    assert modes["exact"]["psnr_db"] is None
    assert modes["exact"]["speedup"] == 1
    assert modes["deep_2"]["psnr_db"] > modes["few_steps"]["psnr_db"] > 10
    assert all(mode["object_accuracy"] == 1 for mode in modes.values())
    table = as_text(facts).splitlines()[2:]
    assert len(table) == 2 + 3
    assert len({line.count("|") for line in table}) == 1
    assert "| deep features every 2nd step |" in table[-2]


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clips", "1", "--modes", "few_steps", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["modes"]) == {"exact", "few_steps"}
    assert main(["--modes", "quick"]) == 1
    assert "Unknown speed 'quick'" in capsys.readouterr().err
