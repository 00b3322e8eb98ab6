"""Where files go: --out looked at before the run, and a disk that fills while they are fetched."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from a2v_core.errors import WorkflowError
from a2v_core.headless import RunSettings, run
from a2v_core.headless.server import ComfyServer, find_comfyui
from a2v_core.headless.server.client import connect
from a2v_core.headless.server.outputs import LeftFile, OutputFile, check_folder, fetch_outputs
from tests.headless.test_cli import ROOT, call, command
from tests.headless.test_run import image_prompt, size_of, write

LIMIT = 2048


def two_pictures(small: str = "small", large: str = "large") -> dict[str, Any]:
    """One picture of a few hundred bytes, and one of more than a disk takes."""
    prompt = image_prompt(prefix=small)
    prompt["3"] = {
        "class_type": "EmptyImage",
        "inputs": {"width": 2048, "height": 2048, "batch_size": 1, "color": 9},
    }
    prompt["4"] = {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": large}}
    return prompt


def call_with_little_room(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command, in a process in which no file may grow beyond LIMIT bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=limit,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_what_fits_stays_and_the_rest_is_named(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "two.json", two_pictures())
    arguments = (workflow, "--server", comfy_server.url, "--out", tmp_path / "out")
    done = call_with_little_room(*arguments, "--json")
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "incomplete"
    (kept,), (left,) = result["files"], result["left"]
    assert size_of(Path(kept["path"])) == (32, 16)
    assert (left["node"], left["kind"], left["reason"]) == ("4", "images", "File too large")
    assert left["name"].startswith("large_")
    # It can still be had where it says.
    with urlopen(left["place"], timeout=60) as answer:
        (tmp_path / "later.png").write_bytes(answer.read())
    assert size_of(tmp_path / "later.png") == (2048, 2048)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [Path(kept["path"]).name]

    again = call_with_little_room(*arguments)
    assert again.returncode == 3
    assert "not fetched: large_" in again.stderr
    assert f"(File too large); it is at {comfy_server.url}/view?filename=large_" in again.stderr
    assert "Traceback" not in again.stderr
    assert len(again.stdout.splitlines()) == 1


def test_a_server_that_is_gone_leaves_what_did_not_come(tmp_path: Path) -> None:
    """Its folders go with it, but those with files that nobody could fetch."""
    workflow = write(tmp_path / "two.json", two_pictures(large="taken/large"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "taken").write_text("no folder")
    result = run(RunSettings(workflow, out=tmp_path / "out"), comfyui=find_comfyui())
    (kept,), (left,) = result.files, result.left
    assert size_of(kept.path) == (32, 16)
    assert left.reason in ("File exists", "Not a directory")
    assert size_of(Path(left.place)) == (2048, 2048)
    folder = Path(left.place).parents[2]
    assert [path.name for path in folder.iterdir()] == ["output"]
    shutil.rmtree(folder)


def test_a_file_that_the_server_has_lost_does_not_cost_the_others(
    comfy_server: ComfyServer, tmp_path: Path
) -> None:
    workflow = write(tmp_path / "one.json", image_prompt(prefix="there"))
    made = run(RunSettings(workflow, out=tmp_path / "a"), server=comfy_server.url)
    made.files[0].path.rename(comfy_server.output / "there.png")
    references = [{"filename": name, "type": "output"} for name in ("lost.png", "there.png")]

    async def fetch() -> tuple[list[OutputFile], list[LeftFile]]:
        async with connect(comfy_server.url) as client:
            return await fetch_outputs(client, {"2": {"images": references}}, {}, tmp_path / "b")

    (kept,), (left,) = asyncio.run(fetch())
    assert (kept.path, left.name) == (tmp_path / "b" / "there.png", "lost.png")
    assert left.reason == "the server does not give it out: status 404"


@pytest.mark.parametrize(
    "place", ["file", "file/below", "file/far/below", "broken", "broken/below", "x" * 300]
)
def test_places_where_nothing_can_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    with pytest.raises(WorkflowError, match=r"--out .*(is no folder|nothing can be written there)"):
        check_folder(tmp_path / place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "file"]


def test_a_place_that_takes_nothing() -> None:
    with pytest.raises(WorkflowError, match="nothing can be written there"):
        check_folder(Path("/proc/a2v"))


@pytest.mark.parametrize("place", [".", "new", "new/deep", "there", "there/new"])
def test_places_that_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    check_folder(Path(place))
    check_folder(tmp_path / place)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_it_is_said_before_the_run(tmp_path: Path) -> None:
    """No server is asked: there is none."""
    workflow = write(tmp_path / "api.json", image_prompt())
    arguments = (workflow, "--server", "http://127.0.0.1:9", "--out", workflow / "below")
    done = call(*arguments)
    assert done.returncode == 2
    assert f"error: --out {workflow / 'below'}: {workflow} is no folder" in done.stderr
    answer = json.loads(call(*arguments, "--json").stdout)
    assert (answer["status"], answer["message"]) == ("error", done.stderr.strip().removeprefix("error: "))


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_names_that_the_output_cannot_hold(comfy_server: ComfyServer, tmp_path: Path, encoding: str) -> None:
    out = tmp_path / os.fsdecode("\u97f3\u4e50 ".encode() + b"\xff")
    workflow = write(tmp_path / "api.json", image_prompt(prefix="named"))
    arguments = (workflow, "--server", comfy_server.url, "--out", out)
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": encoding}
    for more in ([], ["--json"]):
        done = subprocess.run(
            command(*arguments, *more),
            cwd=ROOT,
            capture_output=True,
            env=environment,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr
        text = done.stdout.decode(encoding)
        assert "\\udcff" in text
        if more:
            assert Path(json.loads(text)["files"][0]["path"]).is_file()
    assert len(list(out.iterdir())) == 2
