"""One-to-one matching in one pass equals the published double loop."""

import random

import pytest

from a2v_core.errors import A2VError
from a2v_core.metrics.alignment.matching import VARIANTS, match_one_to_one, reference, variant_named


def double_loop(audio: list[float], video: list[float], fps: float) -> tuple[tuple[int, int], ...]:
    """Every audio peak takes the first unused video peak within one frame, as in the published script."""
    used, pairs = set(), []
    for i, a in enumerate(audio):
        for j, v in enumerate(video):
            if v - 1 / fps < a < v + 1 / fps and j not in used:
                used.add(j)
                pairs.append((i, j))
                break
    return tuple(pairs)


@pytest.mark.parametrize("fps", [8, 12, 24, 30, 29.97])
def test_equals_the_double_loop_on_random_peaks(fps: float) -> None:
    chooser = random.Random(0)
    matched = 0
    for _ in range(400):
        frames = sorted(chooser.sample(range(1, 60), chooser.randrange(0, 25)))
        video = [frame / fps for frame in frames]
        free = [chooser.uniform(0, 60 / fps) for _ in range(chooser.randrange(0, 12))]
        on_edges = [(chooser.choice([-1, 0, 1]) + chooser.randrange(1, 60)) / fps for _ in range(8)]
        audio = sorted(free + on_edges)
        pairs = match_one_to_one(audio, video, 1 / fps)
        assert pairs == double_loop(audio, video, fps)
        matched += len(pairs)
    assert matched > 1000


@pytest.mark.parametrize(
    ("audio", "video", "value", "matches"),
    [
        ([0.5, 1.0], [0.5, 1.0], 1.0, ((0, 0), (1, 1))),
        ([0.5], [0.75], 0.0, ()),  # exactly one frame apart is too far
        ([0.5], [0.74], 1.0, ((0, 0),)),
        ([0.5, 0.6, 0.7], [0.6], 1 / 3, ((0, 0),)),  # one motion peak counts once
        ([0.1, 0.5], [], 0.0, ()),
        ([], [0.1], 0.0, ()),
        ([], [], None, ()),
    ],
)
def test_reference_scores(
    audio: list[float], video: list[float], value: float | None, matches: tuple[tuple[int, int], ...]
) -> None:
    score = reference(audio, video, 0.25)
    assert score.value == (value if value is None else pytest.approx(value))
    assert score.matches == matches


def test_variants_have_names() -> None:
    assert variant_named("reference") is reference
    assert list(VARIANTS) == ["reference", "legacy", "paper"]
    with pytest.raises(A2VError, match=r"no variant 'papper'\. Choose one of: reference, legacy, paper"):
        variant_named("papper")
