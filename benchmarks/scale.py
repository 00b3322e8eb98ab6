"""How work in units grows with its workers, what killing them costs, and what planning a million clips costs.

    python -m benchmarks.scale [--units N] [--seconds S] [--kill-every S] [--ids N] [--json]

Workers are processes that share units by leases on a common folder, as the commands do on several machines. A
unit costs `--seconds` of sleep, not of processor: so many workers need no more cores than one.

    efficiency_N         time of one worker / (N x time of N workers); 1 is perfect
    lost, doubled        units without a whole result, and results made more than once, with 4 workers
                         of which one is killed (SIGKILL) every `--kill-every` seconds and replaced
    slowdown_under_kills the time that takes / the time without kills
    decode_seconds       of processor time to cut a clip of 24 frames of 384 x 256 with its sound from one of
                         10 s, which has `file_bytes`
    plan_seconds, _bytes to plan `--ids` clips as precompute does, with the share of every unit, and the
                         largest resident memory of the process that does it

Times begin when all workers are ready. Killed workers are followed at once, because all are on one machine;
on several, a unit of a dead worker waits for its lease to end, 60 seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from a2v_core.files import atomic_path
from a2v_core.workers import Leases, Share, Worklist

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 4
READY_SECONDS = 120.0
CLIPS = 5


@dataclass(frozen=True)
class Job:
    """Units of `seconds` each, a kill every `kill_every` seconds, ids to plan and the clips of a unit."""

    units: int
    seconds: float
    kill_every: float
    ids: int
    clips_per_unit: int = 64


def measure(job: Job) -> dict[str, Any]:
    """Everything the command prints, ready for JSON."""
    from .machine import describe_machine  # which imports torch: no worker needs it

    with tempfile.TemporaryDirectory(prefix="a2v-scale-") as name:
        folder = Path(name)
        calm = [timed(folder / f"calm{count}", job, count, 0.0)[0] for count in range(1, WORKERS + 1)]
        killed, kills = timed(folder / "killed", job, WORKERS, job.kill_every)
        made = Counter((folder / "killed" / "log").read_text().splitlines())
        whole = sum(is_done(folder / "killed", unit) for unit in names_of(job.units))
    return {
        "machine": describe_machine(),
        "job": asdict(job),
        "seconds": [round(seconds, 3) for seconds in calm],
        **{f"efficiency_{count}": calm[0] / (count * calm[count - 1]) for count in range(2, WORKERS + 1)},
        "kills": kills,
        "lost": job.units - whole,
        "doubled": sum(count - 1 for count in made.values()),
        "slowdown_under_kills": killed / calm[-1],
        **_in_child([job.ids, job.clips_per_unit]),
    }


def timed(folder: Path, job: Job, count: int, kill_every: float) -> tuple[float, int]:
    """Seconds that `count` workers take for all units, and how many were killed, one every `kill_every`
    seconds, each replaced at once; 0 for none."""
    folder.mkdir()
    workers = [_start(folder, job) for _ in range(count)]
    try:
        end = time.monotonic() + READY_SECONDS
        while not all(_is_ready(folder, worker) for worker in workers):
            if time.monotonic() > end:
                raise RuntimeError(f"the workers were not ready within {READY_SECONDS:.0f} s")
            time.sleep(0.01)
        (folder / "go").touch()
        start = time.monotonic()
        kills, due = 0, start + kill_every
        while any(worker.poll() is None for worker in workers):
            victim = workers[kills % count]
            # One that has only started has no work that could be lost.
            if kill_every and time.monotonic() > due and _is_ready(folder, victim) and victim.poll() is None:
                victim.kill()
                victim.wait()
                workers[kills % count] = _start(folder, job)
                kills, due = kills + 1, due + kill_every
            time.sleep(0.005)
        return time.monotonic() - start, kills
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def _start(folder: Path, job: Job) -> subprocess.Popen[bytes]:
    what = json.dumps([str(folder), job.units, job.seconds])
    return subprocess.Popen([sys.executable, "-m", "benchmarks.scale", "--work", what], cwd=ROOT)


def _is_ready(folder: Path, worker: subprocess.Popen[bytes]) -> bool:
    return (folder / f"ready-{worker.pid}").exists()


def work(folder: Path, units: int, seconds: float) -> None:
    """What a worker does: sleep for every unit, write its result, note that it did."""
    with Leases(folder / "leases") as leases:
        worklist = Worklist(
            {name: name for name in names_of(units)}, lambda name: (folder / name).exists(), leases
        )
        (folder / f"ready-{os.getpid()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.002)
        while worklist.left:
            for name, lease in worklist.free():
                time.sleep(seconds)
                with atomic_path(folder / name) as part:
                    part.write_text(f"result of {name}")
                with open(folder / "log", "a", encoding="ascii") as log:
                    log.write(f"{name}\n")
                leases.release(lease)
            worklist.wait()


def names_of(units: int) -> list[str]:
    """The units' names."""
    return [f"unit-{number:06d}" for number in range(units)]


def is_done(folder: Path, unit: str) -> bool:
    """Whether the result of a unit is there and whole."""
    path = folder / unit
    return path.is_file() and path.read_text() == f"result of {unit}"


def _in_child(sizes: list[int]) -> dict[str, Any]:
    """`plan` and `decode`, in a process whose memory is that of the plan."""
    command = [sys.executable, "-m", "benchmarks.scale", "--plan", json.dumps(sizes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def decode() -> dict[str, Any]:
    """Cut clips from a file of ten seconds, on one thread."""
    import torch

    from a2v_core.audio import Waveform
    from a2v_core.media import write_video
    from training.config import Data
    from training.data import Item, cut

    torch.set_num_threads(1)
    picture = torch.rand((1, 3, 32, 43), generator=torch.Generator().manual_seed(0))
    picture = torch.nn.functional.interpolate(picture, size=(256, 340), mode="bilinear")[0].permute(1, 2, 0)
    frames = torch.stack([torch.roll(picture, 3 * number, 1) for number in range(250)])
    sound = torch.sin(torch.arange(441_000) * 0.0627)[None] * 0.3
    with tempfile.TemporaryDirectory(prefix="a2v-scale-") as name:
        path = Path(name) / "clip.mp4"
        write_video(path, frames, 25.0, Waveform(sound, 44_100))
        data = Data(layout="folder", root=Path(name), fps=24.0, num_frames=24, width=384, height=256)
        cut(Item("clip", path, "train"), 0, data, 0)
        start = time.process_time()
        for number in range(CLIPS):
            cut(Item("clip", path, "train"), number, data, 0)
        seconds = (time.process_time() - start) / CLIPS
        return {"decode_seconds": seconds, "file_bytes": path.stat().st_size}


def plan(ids: int, clips_per_unit: int) -> dict[str, Any]:
    """Plan clips as precompute does, half of them done by another plan."""
    from training.cache import plan_of, units_of
    from training.data import Item

    from .machine import resident_bytes

    start = time.monotonic()
    clips = [(Item(f"train/{n:08d}.mp4", Path(f"/data/train/{n:08d}.mp4"), "train"), 0) for n in range(ids)]
    begun = units_of(clips[::2], {}, clips_per_unit)
    done = {plan_of(begun[0].path(Path())): {(item.id, number) for item, number in clips[::2]}}
    units = units_of(clips, done, clips_per_unit)
    share = Share(0, 8)
    own = sum(share.has(unit.name) for unit in units)
    return {
        "plan_seconds": time.monotonic() - start,
        "plan_bytes": resident_bytes()[1],
        "plan_units": len(units),
        "plan_units_of_share": own,
    }


def as_text(facts: dict[str, Any]) -> str:
    """The report for people."""
    job = facts["job"]
    lines = [
        f"units of {job['seconds']:g} s     {job['units']}",
        *(
            f"{count} workers          {facts['seconds'][count - 1]:.2f} s, "
            f"efficiency {facts[f'efficiency_{count}']:.3f}"
            for count in range(2, WORKERS + 1)
        ),
        f"{facts['kills']} kills            {facts['lost']} lost, {facts['doubled']} doubled, "
        f"{facts['slowdown_under_kills']:.2f} times the time",
        f"plan of {job['ids']:,} clips  {facts['plan_seconds']:.1f} s, {facts['plan_bytes'] / 2**20:.0f} MiB",
        f"decoding a clip       {facts['decode_seconds']:.3f} s of processor time",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--units", type=int, default=160, metavar="N")
    parser.add_argument("--seconds", type=float, default=0.5, metavar="S", help="of a unit")
    parser.add_argument("--kill-every", type=float, default=5.0, metavar="S")
    parser.add_argument("--ids", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--work", default="", help=argparse.SUPPRESS)
    parser.add_argument("--plan", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.work:
        folder, units, seconds = json.loads(options.work)
        work(Path(folder), units, seconds)
    elif options.plan:
        print(json.dumps(plan(*json.loads(options.plan)) | decode()))
    else:
        facts = measure(Job(options.units, options.seconds, options.kill_every, options.ids))
        print(json.dumps(facts, indent=2) if options.json else as_text(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
