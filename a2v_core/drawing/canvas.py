"""Drawing primitives with two back ends: SVG for reports, pixels for ComfyUI.

Coordinates are in pixels from the top left. Colours are "#rrggbb"; those named here (Okabe and Ito, 2008)
are colour-blind safe, and no information is in colour alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

import numpy as np

SOUND, PICTURE, MATCH, OTHER = "#0072b2", "#d55e00", "#222222", "#009e73"
INK, FAINT, SHADE, PAPER = "#222222", "#8a8a8a", "#ececec", "#ffffff"

Points = Sequence[tuple[float, float]]


class Canvas(Protocol):
    """The drawing primitives."""

    width: int
    height: int

    def line(self, points: Points, colour: str, width: float = 1.0, dashed: bool = False) -> None:
        """An open line through the points."""

    def polygon(self, points: Points, fill: str, outline: str = "", opacity: float = 1.0) -> None:
        """A filled shape; `outline` draws its border."""

    def text(
        self, x: float, y: float, words: str, size: float = 13, colour: str = INK, anchor: str = "start"
    ) -> None:
        """Words on a baseline at y; anchor: start, middle or end of the words at x."""


class SvgCanvas:
    """Draws into SVG text."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height = width, height
        self._parts = [f"<title>{escape(title)}</title>"]

    def line(self, points: Points, colour: str, width: float = 1.0, dashed: bool = False) -> None:
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(
            f'<polyline points="{_svg_points(points)}" fill="none" stroke="{colour}" '
            f'stroke-width="{width:g}"{dash}/>'
        )

    def polygon(self, points: Points, fill: str, outline: str = "", opacity: float = 1.0) -> None:
        stroke = f' stroke="{outline}" stroke-width="1.5"' if outline else ""
        alpha = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        self._parts.append(f'<polygon points="{_svg_points(points)}" fill="{fill}"{alpha}{stroke}/>')

    def text(
        self, x: float, y: float, words: str, size: float = 13, colour: str = INK, anchor: str = "start"
    ) -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )

    def svg(self) -> str:
        """The picture as an <svg> element on white."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" font-family="Helvetica, Arial, sans-serif" '
            'role="img">'
        )
        background = f'<rect width="{self.width}" height="{self.height}" fill="{PAPER}"/>'
        return "\n".join([head, self._parts[0], background, *self._parts[1:], "</svg>"])


class PixelCanvas:
    """Draws pixels with Pillow, anti-aliased by drawing at twice the size."""

    SCALE = 2

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.width, self.height = width, height
        self._image: Any = Image.new("RGB", (width * self.SCALE, height * self.SCALE), PAPER)
        self._draw: Any = ImageDraw.Draw(self._image, "RGBA")

    def line(self, points: Points, colour: str, width: float = 1.0, dashed: bool = False) -> None:
        thick = max(1, round(width * self.SCALE))
        for piece in _dashes(points) if dashed else [points]:
            self._draw.line(self._scaled(piece), fill=colour, width=thick, joint="curve")

    def polygon(self, points: Points, fill: str, outline: str = "", opacity: float = 1.0) -> None:
        shade = fill + f"{round(255 * opacity):02x}"
        self._draw.polygon(self._scaled(points), fill=shade)
        if outline:
            self._draw.line(self._scaled([*points, points[0]]), fill=outline, width=3)

    def text(
        self, x: float, y: float, words: str, size: float = 13, colour: str = INK, anchor: str = "start"
    ) -> None:
        from PIL import ImageFont

        font = ImageFont.load_default(size * self.SCALE)
        side = {"start": "ls", "middle": "ms", "end": "rs"}[anchor]
        self._draw.text((x * self.SCALE, y * self.SCALE), words, fill=colour, font=font, anchor=side)

    def paste(
        self, x: float, y: float, image: np.ndarray[Any, np.dtype[np.uint8]], width: int, height: int
    ) -> None:
        """A picture uint8 [H, W, 3], scaled to width x height, with its top left corner at x, y."""
        from PIL import Image

        small = Image.fromarray(image).resize(
            (width * self.SCALE, height * self.SCALE), Image.Resampling.LANCZOS
        )
        self._image.paste(small, (round(x * self.SCALE), round(y * self.SCALE)))

    def pixels(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The picture, uint8 [height, width, 3]."""
        from PIL import Image

        return np.asarray(self._image.resize((self.width, self.height), Image.Resampling.BOX))

    def _scaled(self, points: Points) -> list[tuple[float, float]]:
        return [(x * self.SCALE, y * self.SCALE) for x, y in points]


def rectangle(x: float, y: float, width: float, height: float) -> Points:
    """The corners of a rectangle."""
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _svg_points(points: Points) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _dashes(points: Points) -> list[Points]:
    """Straight pieces of 4 pixels with gaps of 3 along the line."""
    pieces: list[Points] = []
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = float(np.hypot(x1 - x0, y1 - y0))
        for start in np.arange(0, length, 7.0):
            a, b = start / length, min(1.0, (start + 4) / length)
            pieces.append(
                [(x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0))]
            )
    return pieces
