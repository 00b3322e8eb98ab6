"""reference, legacy and paper: against straight ports of their sources, and their properties."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2v_core.metrics import av_align
from a2v_core.metrics.alignment.matching import VARIANTS, legacy, paper, reference

GOLDEN = Path(__file__).parents[2] / "golden" / "av_align"
# On a grid of 1/64 s all sums are exact, so a shift of both sides changes no comparison.
TIMES = st.lists(st.integers(0, 640), unique=True, max_size=12).map(
    lambda ticks: sorted(t / 64 for t in ticks)
)
TOLERANCE = st.integers(1, 24).map(lambda ticks: ticks / 64)


def of_2023(audio: list[float], video: list[float], fps: float) -> float:
    """calc_intersection_over_union of the first release: every onset may take any motion peak."""
    matches = sum(any(v - 1 / fps < a < v + 1 / fps for v in video) for a in audio)
    return matches / (len(audio) + len(video) - matches)


def equation_9(audio: list[float], video: list[float], tolerance: float) -> float:
    sounds = sum(any(abs(a - v) < tolerance for v in video) for a in audio)
    sights = sum(any(abs(a - v) < tolerance for a in audio) for v in video)
    together = (sounds + sights) / 2
    return 1 / (2 * (len(audio) + len(video) - together)) * (sounds + sights)


@given(TIMES, TIMES, TOLERANCE)
def test_variants_equal_their_sources(audio: list[float], video: list[float], tolerance: float) -> None:
    if not audio and not video:
        assert all(variant(audio, video, tolerance).value is None for variant in VARIANTS.values())
        return
    assert legacy(audio, video, tolerance).value == pytest.approx(of_2023(audio, video, 1 / tolerance))
    assert paper(audio, video, tolerance).value == pytest.approx(equation_9(audio, video, tolerance))


@given(TIMES, TIMES, TOLERANCE)
def test_reference_and_paper_lie_within_0_and_1(
    audio: list[float], video: list[float], tolerance: float
) -> None:
    for variant in (reference, paper):
        value = variant(audio, video, tolerance).value
        assert value is None or 0 <= value <= 1


@given(TIMES, TIMES, TOLERANCE, st.integers(0, 6400))
def test_moving_both_sides_changes_nothing(
    audio: list[float], video: list[float], tolerance: float, ticks: int
) -> None:
    later = ([t + ticks / 64 for t in audio], [t + ticks / 64 for t in video])
    for variant in VARIANTS.values():
        assert variant(*later, tolerance) == variant(audio, video, tolerance)


@given(TIMES, TIMES, TOLERANCE)
def test_paper_is_symmetric(audio: list[float], video: list[float], tolerance: float) -> None:
    assert paper(audio, video, tolerance).value == paper(video, audio, tolerance).value


@given(TIMES, TIMES, TOLERANCE)
def test_a_wider_tolerance_never_lowers_legacy_or_paper(
    audio: list[float], video: list[float], tolerance: float
) -> None:
    for variant in (legacy, paper):
        narrow, wide = (variant(audio, video, width).value or 0 for width in (tolerance, 2 * tolerance))
        assert wide >= narrow - 1e-12


def test_legacy_can_exceed_1_and_reference_cannot() -> None:
    assert legacy([0.95, 1.0, 1.05], [1.0], 0.1).value == 3.0
    assert legacy([0.95, 1.0, 1.05], [1.0], 0.1).matches == ((0, 0), (1, 0), (2, 0))
    assert reference([0.95, 1.0, 1.05], [1.0], 0.1).value == 1 / 3
    assert paper([0.95, 1.0, 1.05], [1.0], 0.1).value == 1.0


def test_variants_of_a_file_come_from_the_same_peaks() -> None:
    clip = GOLDEN / "clip0_sync_12fps.mp4"
    results = [av_align(clip, audio=clip.with_suffix(".wav"), variant=name) for name in VARIANTS]
    assert len({(r.audio_peaks, r.video_peaks, r.flow) for r in results}) == 1
    assert [r.score for r in results] == [0.8, 0.8, 0.8]
    assert [r.variant for r in results] == ["reference", "legacy", "paper"]


@pytest.mark.parametrize("name", ["clip1_sync_24fps", "clip2_sync_30fps", "clip6_sync_8fps"])
def test_legacy_without_a_floor_is_the_code_of_2023(name: str) -> None:
    result = av_align(GOLDEN / f"{name}.mp4", audio=GOLDEN / f"{name}.wav", variant="legacy", min_flow=0)
    flow = result.flow
    peaks = [
        i / result.fps
        for i, (a, b) in enumerate(pairwise(flow))
        if 0 < i < len(flow) - 1 and flow[i - 1] < a > b
    ]
    assert list(result.video_peaks) == peaks
    assert result.score == of_2023(list(result.audio_peaks), peaks, result.fps)
