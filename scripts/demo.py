"""`make demo`: the example workflow, run headless by a real ComfyUI, on a sound of the pack or one of yours.

    python -m scripts.demo [--audio FILE] [--model unet3d|wan] [--out DIR]

Prints the video's path, frames, size, frame rate and AV-Align (of the finished mp4, picture against its own
sound track).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from a2v_core.errors import A2VError, WorkflowError
from a2v_core.headless import RunSettings, for_terminal, run

EXAMPLES = Path(__file__).resolve().parent.parent / "example_workflows"
WORKFLOWS = {"unet3d": EXAMPLES / "audio_to_video.json", "wan": EXAMPLES / "wan_audio_to_video.json"}


def main() -> int:
    """Run the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo")
    parser.add_argument("--audio", type=Path, help="any file with sound (default: a sound of the pack)")
    parser.add_argument("--model", choices=WORKFLOWS, default="unet3d", help="which of the bundled models")
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the video goes (default: out)")
    options = parser.parse_args()
    workflow = WORKFLOWS[options.model]
    start = time.monotonic()
    print("starting ComfyUI ...", file=sys.stderr, flush=True)
    try:
        result = run(RunSettings(workflow, options.audio, out=options.out), progress=for_terminal())
        videos = [file.path for file in result.files if file.path.suffix == ".mp4"]
        for left in result.left:
            raise WorkflowError(f"{left.name} did not come ({left.reason}): it is at {left.place}")
        if not videos:
            raise WorkflowError(f"{workflow} saved no mp4")
        for path in videos:
            show(path)
    except A2VError as error:
        print(f"demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"seconds  {time.monotonic() - start:.1f}")
    return 0


def show(path: Path) -> None:
    """Print size, length, frame rate and AV-Align of a video file."""
    from a2v_core.metrics import av_align

    found = av_align(path)
    score = "undefined" if found.score is None else f"{found.score:.3f}"
    print(f"video    {path}")
    print(f"frames   {found.num_frames} ({found.num_frames / found.fps:.2f} s)")
    print(f"size     {found.width} x {found.height}")
    print(f"fps      {found.fps:g}")
    print(f"AV-Align {score}" + (f" ({found.reason})" if found.reason else ""))


if __name__ == "__main__":
    sys.exit(main())
