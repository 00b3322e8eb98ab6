"""The studies: what is changed is changed, the numbers go the right way, the charts are whole."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.av_align_study.__main__ import main
from benchmarks.av_align_study.charts import Chart, Line, figure_of, write_svg
from benchmarks.av_align_study.pairs import (
    auroc,
    crowded,
    faulty,
    make_scene,
    measure,
    render,
    shifted,
    thinned_out,
)
from benchmarks.av_align_study.scenes import Scene, event_times, render_frames, render_sound

SVG = "{http://www.w3.org/2000/svg}"


def test_scenes_follow_from_their_number() -> None:
    assert make_scene(3, 4.0) == make_scene(3, 4.0)
    assert make_scene(3, 4.0) != make_scene(4, 4.0)
    one, other = make_scene(3, 4.0), make_scene(3, 4.0, matched=False)
    assert one.picture == other.picture
    assert one.sound != other.sound
    assert (render_frames(one) == render_frames(one)).all()
    assert (render_sound(one).samples == render_sound(one).samples).all()


def test_event_times_keep_their_distance() -> None:
    for seed in range(30):
        times = np.array(event_times(np.random.default_rng(seed), 3.0, per_second=4.0))
        assert len(times) >= 1
        assert times.min() >= 0.3
        assert times.max() <= 2.75
        assert (np.diff(times) >= 0.25 - 1e-9).all()


def test_the_disc_moves_after_its_kick_and_the_sound_starts_with_its_hit() -> None:
    scene = Scene(2.0, 10, 48, (1.0,), (0.5,), pixel_noise=0, sound_noise=0, drift=0)
    frames = render_frames(scene)
    changes = (frames[1:] - frames[:-1]).abs().mean(dim=(1, 2, 3)).tolist()
    assert max(changes[:10]) < 1e-6
    assert changes.index(max(changes)) == 10
    loud = render_sound(scene).samples[0].abs()
    assert float(loud[:11024].max()) == 0
    assert float(loud[11025:13000].max()) > 0.05
    assert frames.shape == (20, 48, 48, 3)


def test_faults_are_few_and_something_is_always_left() -> None:
    rng = np.random.default_rng(0)
    counts = [len(faulty(rng, tuple(np.arange(1, 13) / 2), 7.0)) for _ in range(200)]
    assert np.mean(counts) == pytest.approx(12, abs=0.5)
    assert all(faulty(rng, (1.0,), 2.0) for _ in range(50))


def test_changes_do_what_they_say() -> None:
    scene = replace(
        make_scene(1, 4.0), picture=(0.6, 1.4, 2.2, 3.1), sound=(0.6, 1.4, 2.2, 3.1), sound_noise=0.001
    )
    pair = render(scene)
    onsets = len(pair.sound.times)
    assert onsets == 4
    assert len(thinned_out(pair, 0.5).sound.times) == 2
    assert len(crowded(pair, 3.0).sound.times) > 6
    late = shifted(pair, 0.2).sound.times
    assert late == pytest.approx([time + 0.2 for time in pair.sound.times], abs=0.03)
    best, worst = measure(pair), measure(shifted(pair, 0.4))
    assert best["trusted, corrected"] is not None
    assert best["trusted, corrected"] > 0.85
    assert worst["trusted, corrected"] is not None
    assert worst["trusted, corrected"] < 0.3


def test_auroc_of_known_orders() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.1], [0.2, 0.1]) == 0.25
    assert auroc([None, 1.0], [0.5]) == 0.5


def test_the_command_writes_numbers_and_charts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clips", "6", "--only", "extra", "delta", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "Foreign sounds per sound" in out
    found = json.loads((tmp_path / "av_align_sensitivity.json").read_text())
    assert set(found) == {"extra", "delta"}
    lines = found["extra"]["lines"]
    assert lines["trusted, corrected"][0] > lines["trusted, corrected"][-1]
    for name in found:
        root = ElementTree.parse(tmp_path / f"av_align_{name}.svg").getroot()
        texts = {element.text for element in root.iter(f"{SVG}text")}
        assert {found[name]["title"], *found[name]["drawn"]} <= texts
    with pytest.raises(SystemExit):
        main(["--only", "everything"])


def test_a_chart_leaves_gaps_and_says_its_names(tmp_path: Path) -> None:
    chart = Chart(
        "t", "x", (1, 2, 3, 4), [Line("a", (0.1, None, 0.3, 0.4)), Line("b & c", (1, 1, 1, 1))], low=-0.2
    )
    first, second = figure_of(chart).axes[0].get_lines()[:2]
    assert np.isnan(np.asarray(first.get_ydata(), float)).tolist() == [False, True, False, False]
    assert np.asarray(second.get_ydata()).tolist() == [1, 1, 1, 1]
    write_svg(tmp_path / "one.svg", chart)
    write_svg(tmp_path / "two.svg", chart)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    texts = [element.text for element in ElementTree.parse(tmp_path / "one.svg").iter(f"{SVG}text")]
    assert {"t", "x", "a", "b & c", "0.0", "1.0"} <= set(texts)
