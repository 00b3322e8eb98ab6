"""The benchmark runs, compares like with like, and says what it measured."""

import json

import pytest

from benchmarks.av_align import main


def test_a_small_run_is_equal_to_the_digit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clips", "3", "--rounds", "1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["max_difference"] == 0.0
    assert facts["speedup_exact"] > 0
    assert facts["speedup_scaled"] > 0
    assert {key: len(values) for key, values in facts["seconds"].items()} == {
        "script": 1,
        "exact": 1,
        "scaled": 1,
    }
    assert (facts["clips"], facts["rounds"]) == (3, 1)
    assert facts["spearman"] is None or facts["spearman"] > 0.4
