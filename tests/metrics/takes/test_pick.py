"""The pick among takes, when it is a tie, and what picking among equals gains."""

from __future__ import annotations

import numpy as np
import pytest

from a2v_core.metrics.takes import TakeScore, pick_best, pick_line, take_lines


def take(score: float, events: int = 20, chance: float = 0.25) -> TakeScore:
    return TakeScore(score, chance, (score - chance) / (1 - chance), 0.1, events, "")


SILENT = TakeScore(None, None, None, None, 0, "undefined: the sound is silent")


def test_one_that_is_clearly_better() -> None:
    takes = {"a0": take(0.3), "a1": take(0.9), "a2": take(0.2)}
    pick = pick_best(takes)
    assert (pick.best, pick.ties, pick.scored) == ("a1", (), 3)
    assert pick.picked_score == pytest.approx((0.9 - 0.25) / 0.75)
    assert pick.mean_score == pytest.approx((0.3 + 0.9 + 0.2 - 0.75) / 0.75 / 3)
    assert pick_line(pick).startswith(
        "a1; corrected AV-Align 0.867, picked as the best of 3, whose mean is 0.289; the best of as many "
        "equal ones would have 0."
    )
    assert take_lines(takes, pick) == [
        "a1  corrected  0.87  trusted  0.90  chance  0.25  best",
        "a0  corrected  0.07  trusted  0.30  chance  0.25  beaten",
        "a2  corrected -0.07  trusted  0.20  chance  0.25  beaten",
    ]


def test_few_events_tell_little() -> None:
    """0.9 against 0.6: on 10 events that may be luck, on 100 it is not."""
    few = pick_best({"a0": take(0.6, 10), "a1": take(0.9, 10)})
    many = pick_best({"a0": take(0.6, 100), "a1": take(0.9, 100)})
    assert (few.best, few.ties) == ("a1", ("a0",))
    assert (many.best, many.ties) == ("a1", ())
    assert pick_line(few).startswith("a1, a tie with a0; ")


def test_equals_tie_and_the_first_is_kept() -> None:
    pick = pick_best({"a0": take(1.0), "a1": take(1.0), "a2": take(0.0)})
    assert (pick.best, pick.ties) == ("a0", ("a1",))


@pytest.mark.parametrize("number", [2, 4, 8])
def test_the_best_of_equals_grows_with_their_number(number: int) -> None:
    """The expected highest of N equal binomials, by drawing them."""
    pick = pick_best({f"a{index}": take(0.5, 12) for index in range(number)})
    drawn = np.random.default_rng(5).binomial(12, 0.5, (20_000, number)).max(axis=1).mean() / 12
    assert pick.mean_score == pytest.approx(1 / 3)
    assert pick.equal_score == pytest.approx((drawn - 0.25) / 0.75, abs=0.01)
    assert len(pick.ties) == number - 1


def test_takes_without_a_score_are_counted() -> None:
    takes = {"a0": SILENT, "a1": take(0.5), "a2": SILENT}
    pick = pick_best(takes)
    assert (pick.best, pick.ties, pick.scored) == ("a1", (), 1)
    assert pick.undefined == {"undefined: the sound is silent": 2}
    assert pick_line(pick) == (
        "a1: corrected AV-Align 0.333, the only one with a score; 2 undefined: the sound is silent"
    )
    assert take_lines(takes, pick)[-1].endswith("-  undefined: the sound is silent")
    none = pick_best({"a0": SILENT})
    assert (none.best, none.picked_score, none.mean_score, none.equal_score) == (None, None, None, None)
    assert pick_line(none) == "nothing picked, no take has a score; 1 undefined: the sound is silent"
