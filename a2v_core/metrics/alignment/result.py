"""The AV-Align result of one clip: score, peaks, matches, chance level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .chance import Chance, Rule, chance_level
from .matching import Pairs, variant_named
from .soft import soft

TRUSTED = "trusted"


@dataclass(frozen=True)
class AVAlignResult:
    """One clip's AV-Align with its inputs. Times in seconds unless a name says ms, sizes in pixels.

    score           the chosen variant's value, or None where it is undefined
    reason          why the score is undefined, or zero because there are no peaks; empty otherwise
    variant         "reference", "legacy", "paper", or "trusted"
    audio_peaks     onset times, ascending
    video_peaks     motion peak times, ascending
    matches         index pairs (audio peak, video peak)
    flow            the curve in which the motion peaks were found: mean flow in pixels per frame (reference,
                    legacy, paper), or motion without that of a shaking camera, in pixels of a 384 x 384
                    picture per 1/12 s. The first value repeats the second
    fps, num_frames, width, height    of the video
    sound_seconds   length of the sound
    tolerance       largest distance of two matching peaks
    window          start and end of the time in which the sound is shifted for the chance level
    notes           which peaks were excluded, and caveats; one sentence each
    """

    score: float | None
    reason: str
    variant: str
    audio_peaks: tuple[float, ...]
    video_peaks: tuple[float, ...]
    matches: Pairs
    flow: tuple[float, ...]
    fps: float
    num_frames: int
    width: int
    height: int
    sound_seconds: float
    tolerance: float
    window: tuple[float, float]
    notes: tuple[str, ...] = ()

    @cached_property
    def _chance(self) -> Chance | None:
        if self.score is None:
            return None
        start, end = self.window
        rule = rule_of(self.variant)
        return chance_level(
            self.audio_peaks, self.video_peaks, self.tolerance, start, max(end - start, 1e-9), rule
        )

    @property
    def chance(self) -> float | None:
        """Mean score over all circular time shifts of the sound within `window`; the motion peaks stay."""
        return None if self._chance is None else self._chance.mean

    @property
    def p_value(self) -> float | None:
        """Share of all shifts that score at least as much as the unshifted sound."""
        return None if self._chance is None else self._chance.p_value

    @property
    def corrected(self) -> float | None:
        """(score - chance) / (1 - chance): 0 is chance, 1 is perfect; None also where chance reaches 1."""
        if self.score is None or self.chance is None or self.chance >= 1:
            return None
        return (self.score - self.chance) / (1 - self.chance)

    @property
    def precision(self) -> float | None:
        """Share of motion peaks that have an onset; None without motion peaks."""
        matched = len({video for _, video in self.matches})
        return matched / len(self.video_peaks) if self.video_peaks else None

    @property
    def recall(self) -> float | None:
        """Share of onsets that have a motion peak; None without onsets."""
        matched = len({audio for audio, _ in self.matches})
        return matched / len(self.audio_peaks) if self.audio_peaks else None

    @property
    def mean_lag_ms(self) -> float | None:
        """Mean of picture minus sound over the matches: above 0 the picture is late. None without matches."""
        lags = [self.video_peaks[v] - self.audio_peaks[a] for a, v in self.matches]
        return 1000 * sum(lags) / len(lags) if lags else None


def rule_of(variant: str) -> Rule:
    """The matching rule: the variant's own, and the soft one for "trusted"."""
    return soft if variant == TRUSTED else variant_named(variant)
