"""The picture of what the model hears: curves at their places, in seconds and in frames."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.audio.onsets import Onsets, trusted_onsets
from a2v_core.drawing.canvas import OTHER, PICTURE, SHADE, SOUND, SvgCanvas
from a2v_core.errors import A2VError
from a2v_core.metrics import detect_onsets
from a2v_core.preview import preview_pixels, token_changes
from a2v_core.preview.picture import _draw, _height
from a2v_core.tokens import AudioTokens

RATE = 16000
SVG = "{http://www.w3.org/2000/svg}"


def clicks(seconds: float = 2.0, times: tuple[float, ...] = (0.5, 1.25)) -> Waveform:
    """Short bursts of noise at these times over silence, the second channel twice as loud."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    burst = np.random.default_rng(0).uniform(-0.4, 0.4, 800).astype(np.float32)
    for time in times:
        samples[round(time * RATE) : round(time * RATE) + 800] = burst
    return Waveform(torch.from_numpy(np.stack([samples, 2 * samples])), RATE)


def heard(sound: Waveform) -> Onsets:
    return trusted_onsets(detect_onsets(sound))


def words(frames: int = 24, attention: bool = True) -> AudioTokens:
    """`temp` changes at frame 6 alone, `local1` nowhere; attention is twice the rest's in frame 15."""
    temp = torch.ones(frames, 8)
    temp[6:] = -1.0
    shares = torch.ones(frames)
    shares[15:16] = 2.0
    kinds = {"temp": temp, "local1": torch.ones(frames, 8), "class": torch.ones(frames, 8)}
    return AudioTokens(kinds, 12.0, shares / shares.mean() if attention else None)


def svg_of(sound: Waveform, onsets: Onsets, tokens: AudioTokens | None, width: int = 768) -> str:
    """The same picture as SVG, whose elements can be counted."""
    canvas = SvgCanvas(width, _height(tokens), "t")
    _draw(canvas, sound, onsets, tokens)
    return canvas.svg()


def of_colour(pixels: np.ndarray, name: str, tolerance: int = 6) -> np.ndarray:
    """[x, y] of the pixels of a colour."""
    wanted = [int(name[i : i + 2], 16) for i in (1, 3, 5)]
    ys, xs = np.nonzero(np.abs(pixels.astype(int) - wanted).max(axis=-1) <= tolerance)
    return np.stack([xs, ys], axis=1)


def x_of(time: float, seconds: float = 2.0, width: int = 768) -> float:
    return 92 + (width - 20 - 92) * time / seconds


def test_changes_are_distances_in_token_lengths() -> None:
    tokens = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0], [0.0, 10.0], [-10.0, 0.0]])
    lengths = (5 + 5 + 0 + 10 + 10) / 5
    expected = torch.tensor([0.0, 0.0, 5.0, 10.0, 200**0.5]) / lengths
    torch.testing.assert_close(token_changes(tokens), expected)
    assert token_changes(torch.zeros(3, 4)).tolist() == [0.0, 0.0, 0.0]
    assert token_changes(torch.ones(1, 4)).tolist() == [0.0]


def test_every_curve_rises_where_its_cause_is() -> None:
    sound = clicks()
    pixels = preview_pixels(sound, heard(sound), words())
    assert pixels.shape == (412, 768, 3)
    assert pixels.dtype == np.uint8
    change = of_colour(pixels[208:272], PICTURE)
    change = change[change[:, 0] > 92]
    peak = change[change[:, 1] == change[:, 1].min()]
    assert x_of(6 / 12) - 3 <= peak[:, 0].min() <= peak[:, 0].max() <= x_of(7 / 12) + 3
    attention = of_colour(pixels[286:350], OTHER)
    attention = attention[attention[:, 0] > 92]
    peak = attention[attention[:, 1] == attention[:, 1].min()]
    assert x_of(15 / 12) - 3 <= peak[:, 0].min() <= peak[:, 0].max() <= x_of(16 / 12) + 3
    # The waveform is a line in the silence and high at the clicks.
    wave = of_colour(pixels[52:116], SOUND, 100)
    for time, high in ((0.25, False), (0.515, True), (1.0, False), (1.265, True)):
        column = wave[np.abs(wave[:, 0] - x_of(time)) < 4, 1]
        assert (len(column) and column.max() - column.min() > 30) == high, time


def test_onsets_are_marked_through_all_panels() -> None:
    sound = clicks()
    onsets = heard(sound)
    assert len(onsets.times) == 2
    root = ElementTree.fromstring(svg_of(sound, onsets, words()))
    marks = [
        line
        for line in root.iter(f"{SVG}polyline")
        if line.get("stroke") == SOUND and "stroke-dasharray" in line.attrib
    ]
    xs = [float(mark.attrib["points"].split(",")[0]) for mark in marks]
    assert xs == pytest.approx([x_of(time) for time in onsets.times], abs=0.1)
    assert {mark.attrib["points"].split(",")[-1] for mark in marks} == {"350.0"}


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_words_say_how_long_and_how_many() -> None:
    sound = clicks()
    found = texts(svg_of(sound, heard(sound), words()))
    assert found[0] == "2.00 s of sound, 2 onsets    24 frames at 12 fps = 2.00 s"
    assert found[1] == "<temp> <local1> <class>"
    assert {"0.2 s", "2 s", "0", "22", "<temp>", "<class>", "even", "2 found"} <= set(found)
    alone = texts(svg_of(sound, heard(sound), None))
    assert alone[:2] == ["2.00 s of sound, 2 onsets", "no audio tokens connected"]
    assert "frame" not in alone


def test_the_smallest_text_is_readable() -> None:
    sound = clicks()
    root = ElementTree.fromstring(svg_of(sound, heard(sound), words(), 384))
    assert min(float(text.attrib["font-size"]) for text in root.iter(f"{SVG}text")) >= 11


@pytest.mark.parametrize(("frames", "shaded"), [(24, False), (12, True), (30, False)])
def test_sound_beyond_the_video_is_grey(frames: int, shaded: bool) -> None:
    sound = clicks()
    pixels = preview_pixels(sound, heard(sound), words(frames))
    columns = np.bincount(of_colour(pixels, SHADE, 1)[:, 0], minlength=768)
    grey = np.nonzero(columns > 50)[0]
    assert (len(grey) > 0) == shaded
    if shaded:
        assert (grey.min(), grey.max()) == pytest.approx((x_of(1.0), x_of(2.0)), abs=2)


@pytest.mark.parametrize(
    ("tokens", "height"), [(None, 230), (words(attention=False), 334), (words(), 412), (words(1), 412)]
)
def test_panels_come_with_what_is_known(tokens: AudioTokens | None, height: int) -> None:
    sound = clicks()
    assert preview_pixels(sound, heard(sound), tokens, 500).shape == (height, 500, 3)


def test_marks_of_many_frames_stay_apart() -> None:
    """An hour at 12 fps in 768 pixels: numbers do not run into one another."""
    sound = Waveform(torch.zeros(1, 3600 * 100), 100)
    tokens = AudioTokens({"temp": torch.zeros(43200, 2)}, 12.0)
    svg = svg_of(sound, Onsets((), (0.0,)), tokens)
    root = ElementTree.fromstring(svg)
    numbers = sorted(
        float(text.attrib["x"]) for text in root.iter(f"{SVG}text") if (text.text or "").isdigit()
    )
    assert 5 < len(numbers) < 17
    assert min(np.diff(numbers)) > 40
    assert len(svg) < 3_000_000


def test_silence_and_one_sample() -> None:
    for samples in (torch.zeros(1, 16000), torch.zeros(1, 1)):
        assert preview_pixels(Waveform(samples, RATE), Onsets((), ()), None).shape == (230, 768, 3)


def test_a_width_that_cannot_be() -> None:
    with pytest.raises(A2VError, match="the picture's width is 20 pixels: expected 384 to 8192"):
        preview_pixels(clicks(), Onsets((), ()), None, 20)
