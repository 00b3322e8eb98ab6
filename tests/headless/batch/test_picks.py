"""The pick among takes, and when it is a tie."""

from __future__ import annotations

import pytest

from a2v_core.headless.batch.picks import pick_best
from a2v_core.headless.batch.results import pick_line
from a2v_core.headless.batch.scores import Scores, unscored


def take(score: float, events: int = 20, chance: float = 0.25) -> Scores:
    return Scores("a.mp4", score, chance, (score - chance) / (1 - chance), 0.1, events, "")


def test_one_that_is_clearly_better() -> None:
    pick = pick_best("a", {"a0": take(0.3), "a1": take(0.9), "a2": take(0.2)})
    assert (pick.best, pick.ties, pick.scored) == ("a1", (), 3)
    assert pick.picked_score == pytest.approx((0.9 - 0.25) / 0.75)
    assert pick.mean_score == pytest.approx((0.3 + 0.9 + 0.2 - 0.75) / 0.75 / 3)
    assert pick_line(pick) == (
        "a: a1; corrected AV-Align 0.867, picked as the best of 3, whose mean is 0.289"
    )


def test_few_events_tell_little() -> None:
    """0.9 against 0.6: on 10 events that may be luck, on 100 it is not."""
    few = pick_best("a", {"a0": take(0.6, 10), "a1": take(0.9, 10)})
    many = pick_best("a", {"a0": take(0.6, 100), "a1": take(0.9, 100)})
    assert (few.best, few.ties) == ("a1", ("a0",))
    assert (many.best, many.ties) == ("a1", ())
    assert "a: a1, a tie with a0; " in pick_line(few)


def test_equals_tie_and_the_first_is_kept() -> None:
    pick = pick_best("a", {"a0": take(1.0), "a1": take(1.0), "a2": take(0.0)})
    assert (pick.best, pick.ties) == ("a0", ("a1",))


def test_takes_without_a_score_are_counted() -> None:
    silent = unscored("b.mp4", "undefined: the sound is silent")
    pick = pick_best("a", {"a0": silent, "a1": take(0.5), "a2": silent})
    assert (pick.best, pick.ties, pick.scored) == ("a1", (), 1)
    assert pick.undefined == {"undefined: the sound is silent": 2}
    none = pick_best("a", {"a0": silent})
    assert (none.best, none.picked_score, none.mean_score) == (None, None, None)
    assert pick_line(none) == "a: nothing picked, no take has a score; 1 undefined: the sound is silent"
