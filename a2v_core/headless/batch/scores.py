"""The score that ranks the takes of a sound: the corrected trusted AV-Align of a run's video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import A2VError
from ...listing import VIDEO_ENDINGS
from ...metrics.takes import TakeScore, take_score


@dataclass(frozen=True)
class Scores(TakeScore):
    """Trusted AV-Align of the run's video; video: name of the file."""

    video: str = ""


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
    return Scores(**asdict(take_score(result)), video=name)


def unscored(name: str, reason: str) -> Scores:
    """No scores, for this reason."""
    return Scores(None, None, None, None, 0, reason, name)
