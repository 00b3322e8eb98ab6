"""One clip's scores as text."""

from __future__ import annotations

from ..alignment import TRUSTED, AVAlignResult, ScoredClip, lag_lines, lag_record


def clip_report(scored: ScoredClip, variant: str) -> str:
    """The text report of a clip: the score in `variant`, then the trusted one with the lag of the picture;
    times in seconds.
    """
    trusted = scored.trusted
    corrected = "undefined" if trusted.corrected is None else f"{trusted.corrected:.3f}"
    published = [] if variant == TRUSTED else [*_lines(scored.published), ""]
    lag = lag_lines(lag_record(scored.lags))
    return "\n".join([*published, *_lines(trusted), f"chance-corrected: {corrected}", *lag])


def _lines(result: AVAlignResult) -> list[str]:
    score = "undefined" if result.score is None else f"{result.score:.3f}"
    chance = "" if result.chance is None else f" (chance {result.chance:.3f}, p {result.p_value:.3f})"
    lag = "" if result.mean_lag_ms is None else f", the picture {result.mean_lag_ms:+.0f} ms after the sound"
    lines = [
        f"AV-Align {result.variant}: {score}{chance}",
        f"video: {result.num_frames} frames, {result.width} x {result.height}, {result.fps:g} fps",
        f"sound onsets: {_times(result.audio_peaks)}",
        f"motion peaks: {_times(result.video_peaks)}",
        f"matched: {len(result.matches)} (within {1000 * result.tolerance:.0f} ms{lag})",
        result.reason,
        *result.notes,
    ]
    return [line for line in lines if line]


def _times(peaks: tuple[float, ...]) -> str:
    return f"{len(peaks)}" + (" at " + ", ".join(f"{time:.2f}" for time in peaks) + " s" if peaks else "")
