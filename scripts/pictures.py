"""Pictures of a finished video for the README and the template browser.

    python -m scripts.pictures VIDEO.mp4 [--strip STRIP.png] [--thumbnail THUMBNAIL.jpg]

The strip shows the frames in rows under the waveform of the video's own sound; the thumbnail shows the frame
with the strongest motion over the waveform.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from a2v_core.audio import load_audio
from a2v_core.media import read_video
from a2v_core.metrics import detect_motion

BACKGROUND, WAVE = (24, 26, 30), (86, 180, 233)
FRAME = 96  # pixels of a frame in the strip
THUMBNAIL = 512


def waveform(samples: np.ndarray, width: int, height: int) -> Image.Image:
    """Peak envelope of mono samples [N], one column a pixel."""
    picture = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for column, part in enumerate(np.array_split(samples, width)):
        reach = (height / 2 - 2) * float(np.abs(part).max(initial=0.0))
        draw.line((column, height / 2 - reach, column, height / 2 + reach), fill=WAVE)
    return picture


def strip(frames: np.ndarray, samples: np.ndarray, columns: int = 12) -> Image.Image:
    """Rows of `columns` frames [F, H, W, 3] uint8, each row under its part of the sound."""
    width = FRAME * columns
    rows = -(-len(frames) // columns)
    picture = Image.new("RGB", (width, rows * (FRAME + 64)), BACKGROUND)
    per_frame = len(samples) / len(frames)
    for row in range(rows):
        first, last = row * columns, min(len(frames), (row + 1) * columns)
        part = samples[round(first * per_frame) : round(last * per_frame)]
        picture.paste(waveform(part, FRAME * (last - first), 64), (0, row * (FRAME + 64)))
        for column, frame in enumerate(frames[first:last]):
            small = Image.fromarray(frame).resize((FRAME, FRAME), Image.Resampling.LANCZOS)
            picture.paste(small, (column * FRAME, row * (FRAME + 64) + 64))
    return picture


def thumbnail(frames: np.ndarray, samples: np.ndarray, liveliest: int) -> Image.Image:
    """A square: one frame, the waveform under it."""
    band = THUMBNAIL // 5
    picture = Image.new("RGB", (THUMBNAIL, THUMBNAIL), BACKGROUND)
    frame = Image.fromarray(frames[liveliest]).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC)
    picture.paste(frame.crop((0, 0, THUMBNAIL, THUMBNAIL - band)), (0, 0))
    picture.paste(waveform(samples, THUMBNAIL, band), (0, THUMBNAIL - band))
    return picture


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.pictures")
    parser.add_argument("video", type=Path)
    parser.add_argument("--strip", type=Path)
    parser.add_argument("--thumbnail", type=Path)
    arguments = parser.parse_args()
    clip = read_video(arguments.video)
    frames = (clip.frames.numpy() * 255).round().astype(np.uint8)
    samples = load_audio(arguments.video).samples.mean(0).numpy()
    if arguments.strip:
        strip(frames, samples).save(arguments.strip, optimize=True)
    if arguments.thumbnail:
        liveliest = int(np.argmax(detect_motion(clip.frames, clip.fps).flow))
        thumbnail(frames, samples, liveliest).save(arguments.thumbnail, quality=88)
    return 0


if __name__ == "__main__":
    sys.exit(main())
