"""wandb is optional: not needed without being asked for, and its absence is said before the first step."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from training.config import make_config
from training.fit import main
from training.loop.loggers import Loggers


@pytest.fixture(autouse=True)
def without_wandb(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is Python's own mark for a module that cannot be imported."""
    monkeypatch.setitem(sys.modules, "wandb", None)


def test_not_needed_when_not_asked_for(values: dict[str, Any]) -> None:
    watch = Loggers(make_config(values), first_step=0)
    watch.scalars({"loss": 1.0}, step=1)
    watch.close()


def test_asked_for_and_missing_is_one_clear_line(
    values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(str(values))
    assert main([str(path), "--set", "logging.wandb=true"]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: logging.wandb: cannot be imported (")
    assert line.endswith("; install it, or set this to false")
    assert not (tmp_path / "run" / "metrics.jsonl").exists()
    # The same command without it trains.
    assert main([str(path), "--set", "logging.wandb=false"]) == 0
    assert (tmp_path / "run" / "metrics.jsonl").is_file()
