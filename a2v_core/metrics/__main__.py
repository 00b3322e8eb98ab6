"""python -m a2v_core.metrics score VIDEO [--audio WAV] [--json]"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..errors import A2VError
from ..video.mp4 import probe_video
from . import AVAlignResult, av_align, shifted_chance


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit code 0, or 1 with a message on stderr when the video cannot be scored."""
    parser = argparse.ArgumentParser(
        prog="python -m a2v_core.metrics", description="Score videos with sound."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    score = commands.add_parser("score", help="AV-Align of one video, and what chance would give")
    score.add_argument("video", type=Path, help="video file")
    score.add_argument(
        "--audio",
        type=Path,
        help="sound file; default: the video's own sound, else the .wav of the same name beside it",
    )
    score.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        audio = options.audio or _sound_of(options.video)
        result = av_align(options.video, audio=audio)
    except A2VError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    facts = report(options.video, audio, result)
    print(json.dumps(facts, indent=2) if options.json else _text(facts))
    return 0


def report(video: Path, audio: Path, result: AVAlignResult) -> dict[str, object]:
    """What the command says of one clip, ready for JSON: times in seconds, size in pixels."""
    return {
        "video": str(video),
        "audio": str(audio),
        "frames": result.num_frames,
        "width": result.width,
        "height": result.height,
        "fps": result.fps,
        "av_align": result.score,
        "variant": result.variant,
        "chance": shifted_chance(result),
        "reason": result.reason,
        "num_audio_peaks": len(result.audio_peaks),
        "num_video_peaks": len(result.video_peaks),
        "num_matches": len(result.matches),
        "audio_peaks": list(result.audio_peaks),
        "video_peaks": list(result.video_peaks),
    }


def _sound_of(video: Path) -> Path:
    """The file that holds the sound: the video, or the .wav of the same name where it has no sound track."""
    beside = video.with_suffix(".wav")
    return beside if not probe_video(video).has_audio and beside.is_file() else video


def _text(facts: dict[str, object]) -> str:
    score, chance = facts["av_align"], facts["chance"]
    value = "undefined" if score is None else f"{score:.3f} (chance {chance:.3f})"
    lines = [
        f"{facts['video']}",
        f"  frames    {facts['frames']}",
        f"  size      {facts['width']} x {facts['height']}",
        f"  fps       {facts['fps']:g}",
        f"  AV-Align  {value}",
        f"  peaks     {facts['num_audio_peaks']} in the sound, {facts['num_video_peaks']} in the picture, "
        f"{facts['num_matches']} matched",
    ]
    return "\n".join([*lines, f"  note      {facts['reason']}"] if facts["reason"] else lines)


if __name__ == "__main__":
    sys.exit(main())
