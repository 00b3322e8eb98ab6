"""The scale benchmark, small: real workers, real kills, and all that it promises to print."""

from __future__ import annotations

import json

import pytest

from benchmarks.scale import as_text, main


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--units", "24", "--seconds", "0.05", "--kill-every", "0.2", "--ids", "5000"]
    assert main([*small, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["lost"], facts["doubled"]) == (0, 0)
    assert facts["kills"] >= 1
    assert facts["efficiency_4"] > 0
    assert facts["slowdown_under_kills"] > 0
    assert facts["plan_seconds"] > 0
    assert facts["plan_bytes"] > 2**20
    assert facts["plan_units"] == 40  # 2,500 clips that are left, in groups of 64
    assert facts["decode_seconds"] > 0
    assert facts["file_bytes"] > 10_000
    text = as_text(facts)
    assert "0 lost, 0 doubled" in text
    assert "plan of 5,000 clips" in text
