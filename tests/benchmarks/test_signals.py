"""The benchmark and the study of signals run, and their numbers mean what they say."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.signals import main
from benchmarks.signals_study.__main__ import main as study
from benchmarks.signals_study.drums import kits_in, one_shot
from benchmarks.signals_study.matching import Tally, matched
from tests.media.files import write_sound


def test_a_short_run_tells_all_contenders_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--minutes", "0.5", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["hits"] > 25
    ours, plain, recipe = facts["ours"], facts["librosa"], facts["recipe"]
    assert ours["recall_20"] == ours["precision_20"] == 1.0
    assert abs(ours["onset_median_ms"]) < 1 < plain["onset_median_ms"]
    assert ours["peak_frames_most"] <= 0.52
    assert recipe["peak_frames_most"] > ours["peak_frames_most"]
    for one in (ours, plain, recipe):
        assert one["again_cpu"] > 0
        assert one["peak_mib"] > 50


def test_matching_is_one_to_one_and_nearest_first() -> None:
    assert matched([1.0, 1.01], [1.008], 0.02) == [(1.01, 1.008)]
    tally = Tally()
    tally.add([1.005, 2.03, 5.0], [1.0, 2.0])
    facts = tally.facts()
    assert (facts["recall_10"], facts["recall_20"], facts["recall_50"]) == (0.5, 0.5, 1.0)
    assert facts["precision_50"] == pytest.approx(2 / 3)
    assert facts["median_ms"] == pytest.approx(17.5)


def test_the_study_of_the_demo_world(capsys: pytest.CaptureFixture[str]) -> None:
    assert study(["--scenes", "2", "--only", "onsets", "classes", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert tables["onsets"]["noise, signals"]["recall_10"] == 1.0
    assert tables["onsets"]["noise, AV-Align (librosa)"]["median_ms"] > 5
    assert tables["classes"]["long"]["right"] == 1.0
    with pytest.raises(SystemExit):
        study(["--only", "drums"])


def test_kits_are_single_strokes_from_their_begin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lead-in silence is cut off; loops by name, and files with a second stroke, are left out."""
    rng = np.random.default_rng(0)
    stroke = rng.standard_normal(8000) * np.exp(-np.arange(8000) / 1200)
    quiet = np.zeros(3000)
    files = {
        "kick": np.concatenate([quiet, stroke]),
        "snare": stroke,
        "hat": 0.1 * stroke,
        "tom": np.concatenate([quiet[:500], stroke]),
        "double": np.concatenate([stroke, stroke]),
        "loop_1": stroke,
    }
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "drumkit.xml").write_text("<drumkit_info/>")
    for name, samples in files.items():
        write_sound(folder / f"{name}.wav", samples[None].astype(np.float32) * 0.2, 44100, "pcm_s16le")
    found = kits_in(tmp_path)["kit"]
    assert [path.stem for path in found] == ["double", "hat", "kick", "snare", "tom"]
    shots = {path.stem: one_shot(path) for path in found}
    assert shots["double"] is None
    for name in ("kick", "tom", "snare"):
        shot = shots[name]
        assert shot is not None
        assert abs(len(shot) - 8000) < 30
    assert study(["--kits", str(tmp_path), "--scenes", "10", "--only", "drums", "tempo", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert tables["drums"]["other kits, signals"]["recall_20"] > 0.95
    assert tables["tempo"]["kit"]["exact_or_octave"] >= 5
