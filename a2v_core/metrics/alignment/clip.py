"""One clip's scores as a flat record, which the commands print, write and draw."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...audio import trusted_onsets
from ...errors import MediaError
from ...media import SOUND_ENDINGS, beside, has_sound, open_media, sound_stream
from .companions import cross_correlation, steadiness
from .flow import FAST_SIDE, Motion, detect_motion
from .heard import HeardSound, hear_sound
from .lag_text import lag_record
from .matching import VARIANTS, checked_tolerance, variant_named
from .result import AVAlignResult
from .scoring import score_peaks
from .sliding import WINDOW, LagOverTime, checked_window, lag_over_time
from .trusted import DEFAULT_TOLERANCE_MS, trusted_score

CURVE_POINTS = 480

Record = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """How clips are scored.

    variant         of the published score: reference, legacy or paper
    tolerance_ms    of both scores; None is one frame for the published one and 170 ms for the trusted one
    normalise_flow  published score: flow in pixels of a 384 x 384 picture
    fast            flow of frames scaled down to 192 x 192 pixels in area; implies `normalise_flow`
    window          seconds of a stretch that the lag over time is taken of
    seams           seconds at which clips were joined; None: cuts are found in the picture
    """

    variant: str = "reference"
    tolerance_ms: float | None = None
    normalise_flow: bool = False
    fast: bool = False
    window: float = WINDOW
    seams: tuple[float, ...] | None = None

    def checked(self) -> Settings:
        """The settings themselves; A2VError for an unknown variant, a bad tolerance or a bad window."""
        variant_named(self.variant)
        checked_window(self.window)
        if self.tolerance_ms is not None:
            checked_tolerance(self.tolerance_ms)
        return self


@dataclass(frozen=True)
class ScoredClip:
    """Motion and sound of a clip, both scores, and how late the picture is over time."""

    motion: Motion
    sound: HeardSound
    published: AVAlignResult
    trusted: AVAlignResult
    lags: LagOverTime


def score_clip(video: Path, audio: Path | None, settings: Settings) -> tuple[Record, Record]:
    """The record of a clip, and its curves for plots. `audio` None: found by `sound_of`. Raises A2VError."""
    sound = sound_of(video) if audio is None else audio
    heard = hear_sound(sound)
    motion = detect_motion(video, flow_side=FAST_SIDE if settings.fast else 0)
    scored = score_detected(motion, heard, settings)
    return {"video": str(video), "audio": str(sound), **clip_record(scored)}, clip_curves(scored)


def score_detected(motion: Motion, sound: HeardSound, settings: Settings) -> ScoredClip:
    """Both scores of detected motion and of what is heard."""
    published = score_peaks(
        motion,
        sound.onsets,
        sound.seconds,
        settings.variant,
        tolerance_ms=settings.tolerance_ms,
        normalise_flow=settings.normalise_flow or settings.fast,
    )
    tolerance = DEFAULT_TOLERANCE_MS if settings.tolerance_ms is None else settings.tolerance_ms
    trusted = trusted_score(motion, sound, tolerance_ms=tolerance)
    lags = lag_over_time(motion, sound, settings.seams, settings.window)
    return ScoredClip(motion, sound, published, trusted, lags)


def clip_record(scored: ScoredClip) -> Record:
    """All scores of a clip, ready for JSON; times in seconds unless named ms, sizes in pixels.

    Keys without a prefix belong to the published score, those with `trusted` to the trusted one.
    """
    published, trusted, motion = scored.published, scored.trusted, scored.motion
    correlation = cross_correlation(motion, scored.sound.onsets)
    return {
        "frames": motion.num_frames,
        "width": motion.width,
        "height": motion.height,
        "fps": motion.fps,
        "sound_seconds": published.sound_seconds,
        "av_align": published.score,
        "variant": published.variant,
        **_result_fields(published, ""),
        "num_matches": len(published.matches),
        "audio_peaks": list(published.audio_peaks),
        "video_peaks": list(published.video_peaks),
        **{f"av_align_{name}": _variant_score(scored, name) for name in VARIANTS},
        "trusted": trusted.score,
        **_result_fields(trusted, "trusted_"),
        "trusted_num_matches": len(trusted.matches),
        "trusted_notes": list(trusted.notes),
        "correlation": correlation.best,
        "correlation_lag_ms": correlation.lag_ms,
        "correlation_at_zero": correlation.at_zero,
        **asdict(steadiness(motion)),
        **lag_record(scored.lags),
    }


def clip_curves(scored: ScoredClip) -> Record:
    """Data of a clip's plot: peaks and matches of the trusted score, both curves reduced to 480 points."""
    trusted = scored.trusted
    envelope = trusted_onsets(scored.sound.onsets).envelope
    return {
        "seconds": max(trusted.num_frames / trusted.fps, trusted.sound_seconds),
        "audio_peaks": list(trusted.audio_peaks),
        "video_peaks": list(trusted.video_peaks),
        "matches": [list(pair) for pair in trusted.matches],
        "window": list(trusted.window),
        "envelope": max_pooled(envelope),
        "envelope_seconds": len(envelope) * scored.sound.onsets.hop_seconds,
        "flow": max_pooled(trusted.flow),
        "flow_seconds": trusted.num_frames / trusted.fps,
        "fps": trusted.fps,
        "lags": [asdict(window) for window in scored.lags.windows],
        "seams": [seam.time for seam in scored.lags.seams],
    }


def max_pooled(values: tuple[float, ...], points: int = CURVE_POINTS) -> list[float]:
    """At most `points` values, each the maximum of an equal stretch (no peak is lost), to four digits."""
    stretch = -(-len(values) // points) if values else 1
    return [round(max(values[i : i + stretch]), 4) for i in range(0, len(values), stretch)]


def sound_of(video: Path) -> Path:
    """The file with the sound: the video, or the sound file of the same name if the video has no track."""
    if has_sound(video):
        return video
    if (sound := beside(video, SOUND_ENDINGS)) is not None:
        return sound
    with open_media(video) as container:
        try:
            sound_stream(container, video)
        except MediaError as error:
            raise MediaError(f"{error}, or put the sound beside it as {video.stem}.wav") from error
    return video


def _result_fields(result: AVAlignResult, prefix: str) -> Record:
    return {
        f"{prefix}chance": result.chance,
        f"{prefix}corrected": result.corrected,
        f"{prefix}p_value": result.p_value,
        f"{prefix}reason": result.reason,
        f"{prefix}precision": result.precision,
        f"{prefix}recall": result.recall,
        f"{prefix}mean_lag_ms": result.mean_lag_ms,
        f"{prefix}tolerance_ms": 1000 * result.tolerance,
        f"{prefix}num_audio_peaks": len(result.audio_peaks),
        f"{prefix}num_video_peaks": len(result.video_peaks),
    }


def _variant_score(scored: ScoredClip, variant: str) -> float | None:
    """The published score in another variant, from the same peaks."""
    result = scored.published
    if result.num_frames < 2:
        return None
    return VARIANTS[variant](result.audio_peaks, result.video_peaks, result.tolerance).value
