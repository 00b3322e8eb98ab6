"""The import benchmark starts a real ComfyUI's loader; the pack brings no large library into the start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from a2v_core.headless.server import find_comfyui
from benchmarks import import_time


def test_nothing_heavy_is_imported(capsys: pytest.CaptureFixture[str]) -> None:
    assert import_time.main(["--runs", "1", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["heavy"] == []
    assert facts["modules"] > 20
    assert len(facts["seconds"]) == len(facts["cpu_seconds"]) == 1
    assert 0 < facts["median"] == facts["seconds"][0]


def test_a_pack_that_does_not_load_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "__init__.py").write_text("import a_package_that_nobody_has\n")
    with pytest.raises(import_time.WorkflowError, match=r"does not load[\s\S]*a_package_that_nobody_has"):
        import_time.measure(find_comfyui(), 1, tmp_path)
    assert import_time.main(["--comfyui", str(tmp_path)]) == 1
    assert "no main.py" in capsys.readouterr().err
