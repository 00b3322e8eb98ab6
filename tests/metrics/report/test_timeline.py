"""The picture of a clip, as pixels and as SVG; many clips when a process dies."""

import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from a2v_core.drawing.canvas import PICTURE, SHADE, SOUND, PixelCanvas, SvgCanvas, rectangle
from a2v_core.media import VideoFrames
from a2v_core.metrics import detect_motion, hear_sound
from a2v_core.metrics.alignment.clip import ScoredClip, Settings, clip_curves, max_pooled, score_detected
from a2v_core.metrics.report.timeline import (
    HEIGHT,
    STRIP_HEIGHT,
    WIDTH,
    headings,
    timeline_pixels,
    timeline_svg,
)
from a2v_core.metrics.sets.runner import Job, run_jobs

GOLDEN = Path(__file__).parents[2] / "golden" / "av_align"


def scored(name: str) -> ScoredClip:
    sound = hear_sound(GOLDEN / f"{name}.wav")
    return score_detected(detect_motion(GOLDEN / f"{name}.mp4"), sound, Settings())


def colour(name: str) -> list[int]:
    return [int(name[i : i + 2], 16) for i in (1, 3, 5)]


def count(pixels: np.ndarray, name: str) -> int:
    return int((np.abs(pixels.astype(int) - colour(name)).max(axis=-1) < 6).sum())


def test_the_picture_has_both_curves_the_marks_and_the_frames() -> None:
    clip = scored("clip0_sync_12fps")
    pixels = timeline_pixels(clip, list(VideoFrames(GOLDEN / "clip0_sync_12fps.mp4")))
    assert pixels.shape == (HEIGHT + STRIP_HEIGHT, WIDTH, 3)
    assert pixels.dtype == np.uint8
    assert min(count(pixels[:HEIGHT], name) for name in (SOUND, PICTURE, SHADE)) > 300
    # 9 frames fit side by side; the clip's textured ground fills their strip.
    assert (pixels[HEIGHT + 4 : HEIGHT + 70].std(axis=2) > 3).mean() > 0.5
    missed = timeline_pixels(scored("clip3_late_24fps"), [])
    assert missed.shape == (HEIGHT, WIDTH, 3)
    # Hollow triangles where nothing matched: less ink than the filled ones.
    gap = slice(131, 150)
    assert count(missed[gap, 74:], SOUND) / 3 < count(pixels[gap, 74:], SOUND) / 4


def test_headings_say_both_scores_or_why_not() -> None:
    title, subtitle = headings(scored("clip0_sync_12fps"))
    assert title == "AV-Align 0.80 (reference)    trusted 0.97    chance-corrected 0.95"
    assert subtitle.startswith(
        "4 matched of 4 onsets and 4 motion peaks (within 170 ms, picture 41 ms early); "
    )
    assert headings(scored("clip7_silent_24fps")) == (
        "AV-Align 0.00 (reference)",
        "undefined: the sound is silent",
    )


@pytest.mark.parametrize("name", ["clip0_sync_12fps", "clip5_static_25fps", "clip7_silent_24fps"])
def test_svg_is_well_formed_and_escapes_names(name: str) -> None:
    curves = clip_curves(scored(name))
    root = ElementTree.fromstring(timeline_svg(curves, "a <b> & c", "x"))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a <b> & c" in texts
    # One triangle per peak, four in the legend, the two areas, and what is shaded.
    triangles = [
        p for p in root.iter("{http://www.w3.org/2000/svg}polygon") if len(p.attrib["points"].split()) == 3
    ]
    assert len(triangles) == len(curves["audio_peaks"]) + len(curves["video_peaks"]) + 4


def test_both_canvases_draw_at_the_same_place() -> None:
    pixels = PixelCanvas(40, 20)
    pixels.polygon(rectangle(10, 5, 8, 6), SOUND)
    pixels.line([(0, 18), (40, 18)], PICTURE, 2, dashed=True)
    seen = pixels.pixels()
    assert seen[8, 14].tolist() == colour(SOUND)
    assert seen[2, 14].tolist() == [255, 255, 255]
    assert 10 < count(seen[17:19], PICTURE) < 60
    svg = SvgCanvas(40, 20, "t")
    svg.polygon(rectangle(10, 5, 8, 6), SOUND)
    assert 'points="10.0,5.0 18.0,5.0 18.0,11.0 10.0,11.0"' in svg.svg()


def test_thinned_curves_keep_their_peaks() -> None:
    values = [0.0] * 5000
    values[3333] = 7.0
    short = max_pooled(tuple(values), 480)
    assert len(short) <= 480
    assert max(short) == 7.0
    assert max_pooled((1.0, 2.0), 480) == [1.0, 2.0]
    assert max_pooled((), 480) == []


def test_a_dying_process_costs_one_clip_and_no_other(tmp_path: Path) -> None:
    """A decoder that crashes takes its process along. Here the clip called crash.mp4 does."""
    names = ["a.mp4", "crash.mp4", "b.mp4", "c.mp4", "d.mp4"]
    jobs = [Job(tmp_path / name, None, Settings()) for name in names]
    answers = dict(run_jobs(jobs, 2, crash_or_name))
    assert set(answers) == set(range(5))
    assert [answers[i] for i in (0, 2, 3, 4)] == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    assert "the process that scored it died" in str(answers[1])


def crash_or_name(job: Job) -> str:
    if Path(str(job.video)).name == "crash.mp4":
        os._exit(11)
    return Path(str(job.video)).name
