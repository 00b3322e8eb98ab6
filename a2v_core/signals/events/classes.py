"""Which sound is heard: class probabilities of short windows, each encoded alone.

The head of BEATs reads the mean over all tokens, and every token has heard the whole input: read per step of
a long input it says the same everywhere. A short window encoded alone says what sounds in it.

Legend: K classes, N samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...audio import BEATs, beats_fbank
from ..analysis import Sound
from .windows import Span, windows_16k

Floats = np.ndarray[Any, np.dtype[np.float32]]
Progress = Callable[[int, int], None]

STEP_SECONDS = 0.16  # of BEATs: shorter remainders of a window are not heard
FRAME_SECONDS = 0.015  # by which the first step is longer
SHORTEST_SECONDS = STEP_SECONDS + FRAME_SECONDS
# Before a hit, at which its windows begin: two, which lie otherwise on BEATs' patches of 160 ms. Their mean
# is right where one alone is not.
LEADS_SECONDS = (0.02, 0.06)
HIT_SECONDS = 0.48  # of a hit's window, unless the next hit comes earlier
BEFORE_STEPS = 2  # of BEATs, at most, that are heard of what sounds already when a hit comes
# By how much a class that sounds already is less likely to be the hit's: a string that rings on while a block
# is struck. From 0.3 to 0.7 it makes no difference on held-out scenes of two objects.
STILL = 0.5
_AT_ONCE = 16


@torch.no_grad()
def class_probabilities(
    beats: BEATs, sound: Sound, spans: Sequence[Span], progress: Progress | None = None
) -> Floats:
    """Probability of every class in every span (ascending starts): float32 [spans, K]; K is 0 without a head.

    progress  called as progress(done, total) after every few windows; may raise to cancel
    """
    if beats.predictor is None:
        return np.zeros((len(spans), 0), np.float32)
    result = np.zeros((len(spans), beats.config.predictor_class), np.float32)
    done = 0
    for numbers, batch in _batches(windows_16k(sound, spans)):
        weight = beats.patch_embedding.weight
        fbank = beats_fbank(batch).to(weight.device, weight.dtype)
        logits = beats.predictor(beats(fbank)[-1]).mean(dim=1)
        result[numbers] = torch.sigmoid(logits.float()).cpu().numpy()
        done += len(numbers)
        if progress is not None:
            progress(done, len(spans))
    return result


def hit_probabilities(
    beats: BEATs,
    sound: Sound,
    times: Sequence[float],
    seconds: float = HIT_SECONDS,
    progress: Progress | None = None,
) -> Floats:
    """Probability of every class to be that of each hit (ascending times): float32 [hits, K].

    What sounds before a hit already is less likely its sound: max(0, p - q / 2) / (1 - q / 2), with p
    the mean of a hit's windows and q the probability in the stretch before it.
    """
    windows = [span for lead in LEADS_SECONDS for span in hit_spans(times, seconds, lead)]
    before = {number: span for number, time in enumerate(times) if (span := _span_before(time)) is not None}
    found = _in_any_order(beats, sound, [*windows, *before.values()], progress)
    shape = (len(LEADS_SECONDS), len(times), found.shape[1])
    at = found[: len(windows)].reshape(shape).mean(axis=0)
    still = np.zeros_like(at)
    still[list(before)] = STILL * found[len(windows) :]
    return np.asarray(np.maximum(0.0, at - still) / (1.0 - still), np.float32)


def _in_any_order(beats: BEATs, sound: Sound, spans: Sequence[Span], progress: Progress | None) -> Floats:
    order = sorted(range(len(spans)), key=lambda number: spans[number].start)
    found = class_probabilities(beats, sound, [spans[number] for number in order], progress)
    result = np.empty_like(found)
    result[order] = found
    return result


def _span_before(time: float) -> Span | None:
    """The stretch until a hit begins; None where the sound is too short before it."""
    end = time - LEADS_SECONDS[0]
    steps = min(BEFORE_STEPS, int((end - FRAME_SECONDS) / STEP_SECONDS + 1e-6))
    return Span(end - steps * STEP_SECONDS - FRAME_SECONDS, end) if steps > 0 else None


def hit_spans(
    times: Sequence[float], seconds: float = HIT_SECONDS, lead: float = LEADS_SECONDS[0]
) -> list[Span]:
    """A window for every hit: from `lead` seconds before it to the next hit, at most `seconds` long.

    It is not shorter than one step of BEATs: of hits that follow one another faster, each hears the next too.
    """
    spans = []
    for number, time in enumerate(times):
        start = time - lead
        following = times[number + 1] - lead if number + 1 < len(times) else float("inf")
        length = max(SHORTEST_SECONDS, min(seconds, following - start))
        steps = int((length - FRAME_SECONDS) / STEP_SECONDS + 1e-6)
        spans.append(Span(start, start + steps * STEP_SECONDS + FRAME_SECONDS))
    return spans


def _batches(windows: Iterator[Tensor]) -> Iterator[tuple[list[int], Tensor]]:
    """Windows of equal length together, in batches, with their numbers."""
    waiting: dict[int, tuple[list[int], list[Tensor]]] = {}
    for number, window in enumerate(windows):
        numbers, parts = waiting.setdefault(window.shape[-1], ([], []))
        numbers.append(number)
        parts.append(window)
        if len(parts) == _AT_ONCE:
            yield numbers, torch.stack(parts)
            del waiting[window.shape[-1]]
    for numbers, parts in waiting.values():
        yield numbers, torch.stack(parts)
