"""The score that ranks the takes of a sound: the corrected trusted AV-Align of a run's video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...errors import A2VError
from ...listing import VIDEO_ENDINGS


@dataclass(frozen=True)
class Scores:
    """Trusted AV-Align of a video.

    video      name of the file
    trusted    the score, `chance` its level, `corrected` (trusted - chance) / (1 - chance): what ranks;
               None where undefined, with the `reason`
    events     onsets and motion peaks, those that match counted once: how much the score rests on
    """

    video: str
    trusted: float | None
    chance: float | None
    corrected: float | None
    p_value: float | None
    events: int
    reason: str


def video_with_sound(out: Path, names: Iterable[str]) -> str | None:
    """The first of the files that is a video with a sound track."""
    for name in names:
        if Path(name).suffix.lower() in VIDEO_ENDINGS and _has_sound(out / name):
            return name
    return None


def _has_sound(path: Path) -> bool:
    from ...media import has_sound

    try:
        return has_sound(path)
    except A2VError:
        return False


def score_video(out: Path, name: str) -> Scores:
    """The scores of a video; whatever is wrong with it is the reason that it has none."""
    from ...metrics import TRUSTED, av_align

    try:
        result = av_align(out / name, variant=TRUSTED)
    except (A2VError, OSError) as error:
        return unscored(name, str(error))
    reason = result.reason or ("" if result.corrected is not None else "undefined: chance alone scores 1")
    return Scores(
        video=name,
        trusted=result.score,
        chance=result.chance,
        corrected=result.corrected,
        p_value=result.p_value,
        events=len(result.audio_peaks) + len(result.video_peaks) - len(result.matches),
        reason=reason,
    )


def unscored(name: str, reason: str) -> Scores:
    """No scores, for this reason."""
    return Scores(name, None, None, None, None, 0, reason)
