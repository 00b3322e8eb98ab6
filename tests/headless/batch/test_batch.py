"""Batches on a real server: what runs, under which names, and what becomes of what is bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from a2v_core.headless.server import ComfyServer
from tests.headless.batch.parts import (
    call,
    copying_prompt,
    drawing_prompt,
    facts,
    outputs,
    read_runs,
    write_sounds,
    write_table,
)
from tests.headless.test_run import seconds_of, size_of, write, write_wav


def test_every_sound_with_every_seed(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", drawing_prompt())
    write_sounds(tmp_path / "sounds", 2)
    out = tmp_path / "out"
    arguments = (workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--seeds", 2)
    done = call(*arguments, "--out", out)
    names = [f"tone_{n}_seed{seed}" for n in (0, 1) for seed in (0, 1)]
    assert sorted(outputs(out)) == sorted(
        f"{name}.{end}" for name in names for end in ("3-1.png", "6-1.flac")
    )
    assert "[4/4] tone_1_seed1: " in done.stderr
    assert f"4 of 4 runs done; {out / 'runs.csv'}" in done.stderr
    assert [seconds_of(out / f"tone_{n}_seed0.6-1.flac") for n in (0, 1)] == pytest.approx([0.2, 0.22])
    made = outputs(out)
    assert made["tone_0_seed0.3-1.png"] != made["tone_0_seed1.3-1.png"]
    rows = read_runs(out)
    assert [row["id"] for row in rows] == names
    assert [(row["sound"], row["seed"], row["status"]) for row in rows[1:3]] == [
        ("tone 0.wav", "1", "done"),
        ("tone 1.wav", "0", "done"),
    ]
    assert rows[0]["files"] == "tone_0_seed0.3-1.png tone_0_seed0.6-1.flac"
    assert rows[0]["server"] == comfy_server.url
    assert float(rows[0]["seconds"]) > 0

    again = json.loads(call(*arguments, "--out", out, "--json").stdout)
    assert (again["status"], len(again["runs"])) == ("done", 4)
    assert read_runs(out) == rows  # seconds too: nothing ran again
    assert [Path(file).is_file() for run in again["runs"] for file in run["files"]] == [True] * 8


def written(out: Path) -> list[int]:
    """When the row of every run was written, by the names of the runs."""
    return [path.stat().st_mtime_ns for path in sorted((out / ".batch" / "rows").glob("*.json"))]


def test_what_has_changed_runs_again(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", copying_prompt())
    sounds = write_sounds(tmp_path / "sounds", 3)
    out = tmp_path / "out"
    arguments = (workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--out", out)
    call(*arguments)
    first = written(out)
    write_wav(sounds[0], 0.4)
    (out / "tone_1.flac").unlink()
    call(*arguments)
    second = written(out)
    assert [a == b for a, b in zip(first, second, strict=True)] == [False, False, True]
    assert [seconds_of(out / f"tone_{n}.flac") for n in range(3)] == pytest.approx([0.4, 0.22, 0.24])
    call(*arguments, "--set", "6.filename_prefix=other")
    third = written(out)
    assert all(a != b for a, b in zip(second, third, strict=True))
    assert sorted(outputs(out)) == ["tone_0.flac", "tone_1.flac", "tone_2.flac"]


def test_a_bad_sound_is_a_row(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", copying_prompt())
    sounds = write_sounds(tmp_path / "sounds", 3)
    sounds[1].write_text("this is no sound")
    out = tmp_path / "out"
    arguments = (workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--out", out)
    done = call(*arguments, code=3)
    assert [row["status"] for row in read_runs(out)] == ["done", "error", "done"]
    reason = read_runs(out)[1]["error"]
    assert reason.startswith("node 'the sound' (LoadAudio, node 5) failed with InvalidDataError")
    assert f"tone_1: {reason}" in done.stderr
    assert sorted(outputs(out)) == ["tone_0.flac", "tone_2.flac"]
    write_wav(sounds[1], 0.3)
    call(*arguments)
    assert [row["status"] for row in read_runs(out)] == ["done"] * 3

    sounds[1].write_text("this is no sound")
    for good in (sounds[0], sounds[2]):
        good.unlink()
    assert json.loads(call(*arguments, "--json", code=1).stdout)["status"] == "failed"
    assert sorted(outputs(out)) == ["tone_0.flac", "tone_2.flac"]  # no run of this batch any more: they stay


def test_a_table(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", drawing_prompt())
    write_wav(tmp_path / "a.wav", 0.3)
    table = write_table(
        tmp_path / "runs.csv",
        ["id", "audio", "EmptyImage.width", "2.seed"],
        [
            ["small", "a.wav", 32, 1],
            ["", "a.wav", 64, ""],
            ["wrong", "a.wav", "wide", 1],
            ["gone", "b.wav", "", ""],
        ],
    )
    out = tmp_path / "out"
    call(workflow, "--server", comfy_server.url, "--table", table, "--out", out, code=3)
    assert size_of(out / "a_small.3-1.png") == (32, 32)
    assert size_of(out / "a_row2.3-1.png") == (64, 32)
    rows = read_runs(out)
    assert [row["id"] for row in rows] == ["a_small", "a_row2", "a_wrong", "b_gone"]
    assert [row["EmptyImage.width"] for row in rows] == ["32", "64", "wide", ""]
    assert rows[2]["error"] == "--set 'EmptyImage.width=wide': width takes INT, not 'wide'"
    assert rows[3]["error"] == f"there is no file {tmp_path / 'b.wav'}"


def test_a_table_with_a_folder_and_seeds(comfy_server: ComfyServer, tmp_path: Path) -> None:
    """Every sound with every row; a column that sets a seed keeps it."""
    workflow = write(tmp_path / "api.json", drawing_prompt())
    write_sounds(tmp_path / "sounds", 2)
    table = write_table(tmp_path / "runs.csv", ["EmptyImage.width"], [[32], [64]])
    out = tmp_path / "out"
    arguments = (workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--table", table)
    call(*arguments, "--seeds", 1, "--out", out)
    assert [row["id"] for row in read_runs(out)] == [
        f"tone_{n}_row{row}_seed0" for n in (0, 1) for row in (1, 2)
    ]
    done = call(*arguments, "--seeds", 1, "--set", "2.seed=5", "--out", out, code=2)
    assert "no node of this workflow takes a seed" in done.stderr


def test_nothing_of_others_is_replaced(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "api.json", copying_prompt())
    write_sounds(tmp_path / "sounds", 2)
    out = tmp_path / "out"
    out.mkdir()
    (out / "tone_0.flac").write_text("mine")
    arguments = (workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--out", out)
    call(*arguments, code=3)
    assert [row["status"] for row in read_runs(out)] == ["error", "done"]
    assert "tone_0.flac is there, and not from this batch" in read_runs(out)[0]["error"]
    assert (out / "tone_0.flac").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "a batch needs --audio FOLDER, --table FILE, or both"),
        (("--audio", "nowhere"), "--audio: there is no file or folder nowhere"),
        (("--audio", "tests/headless/data"), "the folder holds no sound"),
        (("--audio", "x.wav", "--keep", "best"), "--keep best picks among the seeds of a sound"),
        (("--table", "nowhere.csv"), "--table nowhere.csv cannot be read"),
    ],
)
def test_bad_arguments(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """Said before a server is asked: there is none."""
    workflow = write(tmp_path / "api.json", copying_prompt())
    done = call(workflow, "--server", "127.0.0.1:9", "--out", tmp_path / "out", *arguments, code=2)
    assert message in done.stderr
    assert not (tmp_path / "out" / "runs.csv").exists()


def test_a_workflow_that_no_server_can_run(comfy_server: ComfyServer, tmp_path: Path) -> None:
    prompt = copying_prompt()
    prompt["5"]["class_type"] = "NoSuchNode"
    workflow = write(tmp_path / "api.json", prompt)
    write_sounds(tmp_path / "sounds", 2)
    arguments = (
        workflow,
        "--server",
        comfy_server.url,
        "--audio",
        tmp_path / "sounds",
        "--out",
        tmp_path / "out",
    )
    done = call(*arguments, code=2)
    assert "the server does not know these node types: NoSuchNode" in done.stderr
    assert [row["status"] for row in read_runs(tmp_path / "out")] == ["not run"] * 2
    assert facts(tmp_path / "out")[0]["error"] == ""
