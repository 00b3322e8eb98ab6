"""A set of clips scored on Ray: as by the processes of a pool, which have one thread each, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from a2v_core.metrics.__main__ import main
from tests.metrics.media import write_set

CLIPS = 4


def scores(folder: Path, out: Path, *arguments: str) -> Any:
    assert main(["score", str(folder), "--fast", "--out", str(out), *arguments]) == 3
    return json.loads((out / "scores.json").read_text())


def test_scores_on_ray(tmp_path: Path, local_ray: Any) -> None:
    folder = write_set(tmp_path / "clips", CLIPS)
    found = scores(folder, tmp_path / "ray", "--engine", "ray")
    assert len(found["clips"]) == CLIPS
    assert found == scores(folder, tmp_path / "pool", "--jobs", "2")
    assert len((tmp_path / "ray" / "clips.jsonl").read_text().splitlines()) == CLIPS
