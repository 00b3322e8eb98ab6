"""A batch whose process is killed ends, called again, as one that nobody disturbed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
from pathlib import Path

from a2v_core.headless.batch.claims import Claim, Claims
from a2v_core.headless.batch.rows import Rows
from a2v_core.headless.server import ComfyServer
from tests.headless.batch.parts import (
    ROOT,
    ask,
    call,
    command,
    contents,
    copying_prompt,
    drawing_prompt,
    facts,
    outputs,
    read_runs,
    started,
    wait_for,
    write_sounds,
    write_table,
)
from tests.headless.test_run import slow_prompt, write

KILLS = 6


def killed(arguments: list[object], after: float) -> bool:
    """Start the batch and kill it `after` seconds; False if it ended before that."""
    process = subprocess.Popen(
        command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def kill_again_and_again(server: str, folder: Path, kills: int, sounds: int, seeds: int) -> int:
    """Compare a batch that is killed with one that is not; returns how often it was killed."""
    workflow = write(folder / "api.json", drawing_prompt())
    write_sounds(folder / "sounds", sounds)
    (folder / "sounds" / "tone 1.wav").write_text("this is no sound")
    # A table, not the folder itself: the commands start sooner.
    table = write_table(
        folder / "runs.csv", ["audio"], [[f"sounds/tone {number}.wav"] for number in range(sounds)]
    )
    common: list[object] = [workflow, "--server", server, "--table", table, "--seeds", seeds, "--out"]
    call(*common, folder / "calm", code=3)
    expected = contents(folder / "calm")
    assert len(expected) == 2 * (sounds - 1) * seeds

    rng = random.Random(kills)
    done = 0
    for _ in range(kills):
        done += killed([*common, folder / "killed"], rng.uniform(0.5, 2.5))
        if (folder / "killed").exists():
            found = contents(folder / "killed")
            assert found == {name: expected[name] for name in found}, "a file that is not whole"
    call(*common, folder / "killed", code=3)
    assert contents(folder / "killed") == expected
    assert facts(folder / "killed") == facts(folder / "calm")
    assert sorted(path.name for path in (folder / "killed").iterdir()) == sorted(
        [*expected, ".batch", "runs.csv", "runs.json"]
    )
    assert sorted(path.name for path in (folder / "killed" / ".batch").rglob("*.part*")) == []
    assert not list((folder / "killed" / ".batch" / "claims").iterdir())
    return done


def test_a_batch_that_is_killed_again_and_again(comfy_server: ComfyServer, tmp_path: Path) -> None:
    """20 kills take two minutes; `kill_again_and_again` does any number."""
    assert kill_again_and_again(comfy_server.url, tmp_path, KILLS, sounds=5, seeds=2) >= 2


def test_what_a_killed_batch_had_queued_is_not_queued_again(
    comfy_server: ComfyServer, tmp_path: Path
) -> None:
    """The prompt runs on without the process that queued it; the next one waits for that."""
    prompt = slow_prompt(0x123456, steps=5)
    prompt["2"]["inputs"]["filename_prefix"] = "rejoined"
    workflow = write(tmp_path / "slow.json", prompt)
    table = write_table(tmp_path / "runs.csv", ["id"], [["a"], ["b"]])
    arguments = (workflow, "--server", comfy_server.url, "--table", table, "--out", tmp_path / "out")
    claim = tmp_path / "out" / ".batch" / "claims" / "a.json"
    with started(tmp_path / "log", *arguments):
        wait_for(lambda: claim.exists() and bool(ask(comfy_server.url, "queue")["queue_running"]))
    queued = json.loads(claim.read_text())["prompt_id"]
    assert [item[1] for item in ask(comfy_server.url, "queue")["queue_running"]] == [queued]
    call(*arguments)
    assert sorted(outputs(tmp_path / "out")) == ["a.png", "b.png"]
    ran = [entry["prompt"] for entry in ask(comfy_server.url, "history").values()]
    assert [each[1] == queued for each in ran if "rejoined" in json.dumps(each)] == [True, False]


def test_what_failed_without_the_process_that_queued_it_is_told_alike(
    comfy_server: ComfyServer, tmp_path: Path
) -> None:
    sound = tmp_path / "rejoined.wav"
    sound.write_text("this is no sound")
    out = tmp_path / "out"
    workflow = write(tmp_path / "api.json", copying_prompt())
    arguments = (workflow, "--server", comfy_server.url, "--audio", sound, "--out", out)
    call(*arguments, code=1)
    told = facts(out)
    assert "node 'the sound' (LoadAudio, node 5) failed" in told[0]["error"]

    state = Rows(out, out / ".batch" / "rows")
    (row,) = state.all()
    history = ask(comfy_server.url, "history").values()
    (prompt,) = [each["prompt"] for each in history if sound.name in json.dumps(each["prompt"])]
    # As a process leaves it that is killed while its prompt runs.
    (out / ".batch" / "rows" / f"{row.id}.json").unlink()
    Claims(out / ".batch" / "claims").put(row.id, Claim(row.fingerprint, comfy_server.url, prompt[1]))
    call(*arguments, code=1)
    assert facts(out) == told
    again = ask(comfy_server.url, "history").values()
    assert sum(sound.name in json.dumps(each["prompt"]) for each in again) == 1


def test_ctrl_c_takes_the_run_off_the_server(comfy_server: ComfyServer, tmp_path: Path) -> None:
    workflow = write(tmp_path / "slow.json", slow_prompt(0x654321, steps=5))
    table = write_table(tmp_path / "runs.csv", ["id"], [["a"], ["b"]])
    arguments = (workflow, "--server", comfy_server.url, "--table", table, "--out", tmp_path / "out")
    with started(tmp_path / "log", *arguments) as batch:
        wait_for(lambda: bool(ask(comfy_server.url, "queue")["queue_running"]))
        batch.process.send_signal(signal.SIGINT)
        assert "interrupted" in batch.end(code=130)
    assert ask(comfy_server.url, "queue") == {"queue_running": [], "queue_pending": []}
    assert [run["status"] for run in facts(tmp_path / "out")] == ["not run"] * 2
    call(*arguments)
    assert sorted(outputs(tmp_path / "out")) == ["a.png", "b.png"]


def test_two_at_a_time(comfy_server: ComfyServer, tmp_path: Path) -> None:
    """They stand for two machines with a common disk: each runs some, and both end with all of it."""
    workflow = write(tmp_path / "api.json", drawing_prompt())
    write_sounds(tmp_path / "sounds", 4)
    common = (workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--seeds", 5)
    out = tmp_path / "out"
    with started(tmp_path / "log", *common, "--out", out) as other:
        wait_for(lambda: (out / ".batch" / "rows").is_dir() or other.process.poll() is not None)
        told = call(*common, "--out", out).stderr
        assert "20 of 20 runs done" in told
        assert "20 of 20 runs done" in other.end()
    assert len(contents(out)) == 40
    assert [run["status"] for run in facts(out)] == ["done"] * 20
    assert not list((out / ".batch" / "leases").glob("*.lease"))
    assert not (out / ".batch" / "files").exists()


def test_a_share(comfy_server: ComfyServer, tmp_path: Path) -> None:
    """All takes of a sound belong to one; the table has all, also those that are not run yet."""
    workflow = write(tmp_path / "api.json", copying_prompt())
    write_sounds(tmp_path / "sounds", 4)
    out = tmp_path / "out"
    common = (workflow, "--server", comfy_server.url, "--audio", tmp_path / "sounds", "--out", out)
    counts = []
    for index in (0, 1):
        done = json.loads(call(*common, "--shard", f"{index}/2", "--json").stdout)
        counts.append(len(done["runs"]))
        assert done["status"] == "done"
        assert [row["status"] for row in read_runs(out)].count("done") == sum(counts)
    assert sum(counts) == 4
    assert all(counts)
