"""Draws the pack's icon and banner for the node registry: docs/images/icon.png and docs/images/banner.png.

    python -m scripts.emblem [--folder DIR]

A strip of film whose pictures are the bars of a waveform; in the banner the bars become a ball that leaps.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
ICON = (400, 400)  # square, at most 400 x 400
BANNER = (1260, 540)  # 21 : 9

_SCALE = 3  # supersampling, for smooth edges
_NIGHT, _FILM, _PAPER = (20, 22, 43), (44, 48, 84), (238, 240, 250)
_LOW, _HIGH = (58, 208, 255), (255, 90, 165)
_BARS = (0.28, 0.55, 0.92, 0.62, 0.36, 0.78, 0.48)

Colour = tuple[int, int, int]


def icon() -> Image.Image:
    """A waveform in a frame of film."""
    image, draw = _canvas(ICON)
    draw.rounded_rectangle(_scaled(0, 0, *ICON), 72 * _SCALE, fill=_NIGHT)
    _film(draw, (0, 62, ICON[0], 338), inset=32)
    _wave(draw, (60, 108, 340, 292), _BARS)
    draw.rounded_rectangle(_scaled(0, 0, *ICON), 72 * _SCALE, outline=_FILM, width=6 * _SCALE)
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle(_scaled(0, 0, *ICON), 72 * _SCALE, fill=255)
    image.putalpha(mask)
    return image.resize(ICON, Image.Resampling.LANCZOS)


def banner() -> Image.Image:
    """Name, waveform, and film frames with a leaping ball."""
    image, draw = _canvas(BANNER)
    draw.rectangle(_scaled(0, 0, *BANNER), fill=_NIGHT)
    draw.text((70 * _SCALE, 62 * _SCALE), "Audio to Video", _PAPER, ImageFont.load_default(76 * _SCALE))
    words = "sound in, video out: BEATs, AudioMapper, T2V"
    draw.text((74 * _SCALE, 160 * _SCALE), words, _LOW, ImageFont.load_default(33 * _SCALE))
    _film(draw, (0, 250, BANNER[0], 480), inset=30)
    frames = 6
    left, right, gap = 520, BANNER[0] - 70, 18
    width = (right - left - gap * (frames - 1)) / frames
    _wave(draw, (70, 296, left - 50, 434), [*_BARS, *_BARS[::-1]])
    for frame in range(frames):
        start = left + frame * (width + gap)
        box = (start, 292, start + width, 438)
        draw.rounded_rectangle(_scaled(*box), 8 * _SCALE, fill=_NIGHT)
        height = abs(math.sin(math.pi * (frame + 0.5) / 3))
        _ball(draw, start + width / 2, 414 - 96 * height, 19, _mix(height))
    return image.convert("RGB").resize(BANNER, Image.Resampling.LANCZOS)


def _canvas(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA", (size[0] * _SCALE, size[1] * _SCALE))
    return image, ImageDraw.Draw(image)


def _scaled(*numbers: float) -> list[float]:
    return [number * _SCALE for number in numbers]


def _mix(share: float) -> Colour:
    red, green, blue = (round(low + share * (high - low)) for low, high in zip(_LOW, _HIGH, strict=True))
    return red, green, blue


def _film(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], inset: float) -> None:
    """A strip with holes along both edges."""
    left, top, right, bottom = box
    draw.rectangle(_scaled(*box), fill=_FILM)
    hole, step = inset * 0.5, inset * 1.25
    count = int((right - left) / step)
    start = (right - left - count * step + step - hole) / 2
    for index in range(count):
        x = left + start + index * step
        for y in (top + inset * 0.28, bottom - inset * 0.28 - hole):
            draw.rounded_rectangle(_scaled(x, y, x + hole, y + hole), 3 * _SCALE, fill=_NIGHT)


def _wave(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], heights: Sequence[float]
) -> None:
    left, top, right, bottom = box
    step, middle = (right - left) / len(heights), (top + bottom) / 2
    for index, height in enumerate(heights):
        x, half = left + (index + 0.5) * step, height * (bottom - top) / 2
        bar = _scaled(x - step * 0.28, middle - half, x + step * 0.28, middle + half)
        draw.rounded_rectangle(bar, step * 0.28 * _SCALE, fill=_mix(height))


def _ball(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse(_scaled(x - radius, y - radius, x + radius, y + radius), fill=colour)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both pictures; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.emblem", description="Draw icon and banner.")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write them (default: %(default)s)"
    )
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in (("icon", icon()), ("banner", banner())):
        image.save(folder / f"{name}.png", optimize=True)
        print(f"{name}.png {image.width} x {image.height}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
