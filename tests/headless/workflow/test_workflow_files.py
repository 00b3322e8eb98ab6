"""Telling workflow files from others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless.workflow.load import is_api, is_saved, load_workflow

DATA = Path(__file__).parents[1] / "data"


def test_both_formats_are_told_apart(tmp_path: Path) -> None:
    saved, api = load_workflow(DATA / "plain.ui.json"), load_workflow(DATA / "plain.api.json")
    assert is_saved(saved)
    assert not is_api(saved)
    assert is_api(api)
    assert not is_saved(api)
    wrapped = tmp_path / "wrapped.json"
    wrapped.write_text("\ufeff" + json.dumps({"prompt": api, "client_id": "x"}), encoding="utf-8")
    assert load_workflow(wrapped) == api


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"nodes": [', r"is not JSON: .*line 1"),
        (b"", "is not JSON"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"[]", "no ComfyUI workflow"),
        (b"{}", "no ComfyUI workflow"),
        (b'{"3": {"class_type": "KSampler"}}', "no ComfyUI workflow"),
        (b"7", "no ComfyUI workflow"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(WorkflowError, match=message) as caught:
        load_workflow(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"nothing\.json does not exist"):
        load_workflow(tmp_path / "nothing.json")
