"""AV-Align of many clips: the metrics command against a straight librosa + OpenCV script.

    python -m benchmarks.av_align [--clips N] [--json]

Every contender is a process of its own that starts, imports and scores the same clips (2 s, 12 fps, 384 x
384, with a wav beside each) on the same cores, one after the other and in turns within one run. The script
does what the published av_align.py does: load, detect, Farneback on full frames, one clip after another in
one process.

speedup_exact    seconds of the script / seconds of `python -m a2v_core.metrics score`
speedup_scaled   the same with `--fast` (flow of scaled-down frames)
max_difference   largest difference of a score between the script and the command: 0 is equal to the digit
spearman         rank correlation of the trusted scores, --fast against full
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIDE, FPS, SECONDS = 384, 12, 2.0
ROOT = Path(__file__).resolve().parents[1]

Facts = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print it; exit code 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.av_align", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--clips", type=int, default=100, help="number of clips")
    parser.add_argument("--cores", type=int, default=2, help="processor cores that every contender may use")
    parser.add_argument("--rounds", type=int, default=2, help="times that every contender runs")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--script", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.script is not None:
        print(json.dumps(straight_script(options.script)))
        return 0
    if options.clips < 2 or options.rounds < 1:
        parser.error("--clips must be 2 or more, --rounds 1 or more")
    facts = benchmark(options.clips, options.cores, options.rounds)
    print(json.dumps(facts, indent=2) if options.json else _text(facts))
    return 0


def benchmark(clips: int, cores: int, rounds: int) -> Facts:
    """All contenders on freshly drawn clips."""
    from benchmarks.machine import describe_machine

    used = _cores(cores)
    with tempfile.TemporaryDirectory(prefix="av-align-") as name:
        folder = Path(name)
        draw_clips(folder, clips)
        command = [sys.executable, "-m", "a2v_core.metrics", "score", name, "--json", "--no-progress"]
        command += ["--jobs", str(len(used) or cores)]
        contenders = {
            "script": [sys.executable, "-m", "benchmarks.av_align", "--script", name],
            "exact": command,
            "scaled": [*command, "--fast"],
        }
        seconds: dict[str, list[float]] = {key: [] for key in contenders}
        answers: dict[str, Any] = {}
        for number in range(rounds):
            order = list(contenders) if number % 2 == 0 else list(contenders)[::-1]
            for key in order:
                took, answers[key] = _timed(contenders[key], used)
                seconds[key].append(took)
    return _facts(clips, rounds, used, seconds, answers) | {"machine": describe_machine()}


def draw_clips(folder: Path, clips: int) -> None:
    """clip_000.mp4 and .wav onwards: matched pairs and mismatched ones in turns."""
    from a2v_core.media import write_video

    from .av_align_study.pairs import make_scene
    from .av_align_study.scenes import render_frames, render_sound

    for number in range(clips):
        scene = make_scene(number, SECONDS, FPS, SIDE, matched=number % 2 == 0)
        path = folder / f"clip_{number:03d}.mp4"
        write_video(path, render_frames(scene), FPS)
        sound = render_sound(scene)
        _write_wav(path.with_suffix(".wav"), sound.samples[0].numpy(), sound.sample_rate)


def straight_script(folder: Path) -> dict[str, float | None]:
    """File name -> AV-Align, the plain way."""
    import cv2
    import librosa
    import numpy as np
    from librosa.onset import onset_detect, onset_strength

    scores: dict[str, float | None] = {}
    for path in sorted(glob.glob(str(folder / "*.mp4"))):
        samples, rate = librosa.load(path[:-4] + ".wav")
        envelope = onset_strength(y=samples, sr=rate)
        steps = onset_detect(onset_envelope=envelope, sr=rate)
        audio = librosa.frames_to_time(steps, sr=rate)

        video = cv2.VideoCapture(path)
        fps = video.get(cv2.CAP_PROP_FPS)
        frames = []
        while True:
            good, frame = video.read()
            if not good:
                break
            frames.append(frame)
        video.release()

        def motion(one: Any, other: Any) -> float:
            before, after = cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), cv2.cvtColor(other, cv2.COLOR_BGR2GRAY)
            flow = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore
            return float(np.mean(cv2.magnitude(flow[..., 0], flow[..., 1])))

        flows = [motion(frames[0], frames[1])]
        flows += [motion(frames[i - 1], frames[i]) for i in range(1, len(frames))]
        peaks = [
            i / fps
            for i in range(1, len(flows) - 1)
            if flows[i - 1] < flows[i] > flows[i + 1] and flows[i] >= 0.1
        ]
        used: set[int] = set()
        for time_of_onset in audio:
            for number, peak in enumerate(peaks):
                if peak - 1 / fps < time_of_onset < peak + 1 / fps and number not in used:
                    used.add(number)
                    break
        union = len(audio) + len(peaks) - len(used)
        scores[Path(path).name] = len(used) / union if union else None
    return scores


def _timed(command: list[str], cores: list[int]) -> tuple[float, Any]:
    """Seconds from start to end of a process on `cores`, and the JSON that it prints."""
    if cores:
        command = [sys.executable, "-c", _ON_CORES.format(cores=cores), *command]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return time.perf_counter() - start, json.loads(done.stdout)


_ON_CORES = "import os, sys; os.sched_setaffinity(0, {cores}); os.execv(sys.argv[1], sys.argv[1:])"


def _cores(wanted: int) -> list[int]:
    """The first `wanted` cores of this process; none where a process cannot be tied to cores."""
    affinity = getattr(os, "sched_getaffinity", None)
    return sorted(affinity(0))[:wanted] if affinity else []


def _facts(
    clips: int, rounds: int, cores: list[int], seconds: dict[str, list[float]], answers: dict[str, Any]
) -> Facts:
    from scipy.stats import spearmanr

    script = answers["script"]
    exact, scaled = ({Path(c["video"]).name: c for c in answers[key]["clips"]} for key in ("exact", "scaled"))
    differences = [
        abs((script[name] or 0.0) - (exact[name]["av_align"] or 0.0)) for name in script if name in exact
    ]
    ranked = [(exact[n]["trusted"], scaled[n]["trusted"]) for n in exact if n in scaled]
    both = [pair for pair in ranked if None not in pair]
    total = {key: sum(values) for key, values in seconds.items()}
    return {
        "speedup_exact": total["script"] / total["exact"],
        "speedup_scaled": total["script"] / total["scaled"],
        "max_difference": max(differences) if len(differences) == clips else None,
        "spearman": float(spearmanr(*zip(*both, strict=True)).statistic) if len(both) > 2 else None,
        "clips": clips,
        "cores": len(cores),
        "rounds": rounds,
        "seconds": seconds,
    }


def _write_wav(path: Path, samples: Any, rate: int) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def _text(facts: Facts) -> str:
    lines = [f"{facts['clips']} clips of {SECONDS:g} s, {SIDE} x {SIDE}, {facts['cores']} cores"]
    for name, values in facts["seconds"].items():
        lines.append(f"  {name:8s} {' '.join(f'{value:.1f}' for value in values)} s")
    for name in ("speedup_exact", "speedup_scaled", "max_difference", "spearman"):
        value = facts[name]
        lines.append(f"{name:16s} {'-' if value is None else format(value, '.3f')}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
