"""Cutting clips: pictures and sound of one span of time, aspect kept, and errors that say what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.audio import Waveform
from a2v_core.errors import MediaError
from a2v_core.media import read_video, write_video
from tests.training.media import RATE, clock_sound, pictures, write_clip
from training.config import Data
from training.data import Item, cut, read_clip, unusable


def item(path: Path, audio: Path | None = None) -> Item:
    return Item(id=path.stem, video=path, split="train", audio=audio)


def data(**more: Any) -> Data:
    values = {"layout": "folder", "root": ".", "fps": 8.0, "num_frames": 8, "width": 16, "height": 16}
    return Data.model_validate(values | more)


@pytest.mark.parametrize("fps", [6.0, 8.0, 12.0, 24.0, 29.97, 60.0])
def test_pictures_and_sound_of_the_same_span(tmp_path: Path, fps: float) -> None:
    path = write_clip(tmp_path / "a.mp4", seconds=4.0, fps=fps)
    brightness = read_video(path).frames[:, :, 16:].mean(dim=(1, 2, 3))
    for start in (0.0, 0.5, 2.25):
        clip = read_clip(item(path), start, num_frames=8, fps=8.0, width=16, height=16)
        assert clip.frames.shape == (8, 16, 16, 3)
        assert clip.frames.dtype == torch.uint8
        # Brightness says which picture it is: the last one that has begun by then.
        shown = clip.frames[:, :, 8:].float().mean(dim=(1, 2, 3)) / 255
        begun = torch.floor((torch.arange(8) / 8 + start + 1.5e-3) * fps).long()
        assert (shown - brightness[begun]).abs().max() < 0.003
        # Loudness says the time of the sound: it changes at every half second.
        assert clip.sound.samples.shape == (1, RATE)
        loud = clip.sound.samples[0].reshape(-1, RATE // 20).abs().amax(dim=1)
        middles = (torch.arange(20) + 0.5) / 20 + start
        expected = 0.2 + 0.2 * ((2 * middles).floor() % 2)
        assert ((loud - expected).abs() < 0.08).float().mean() >= 0.9


def test_aspect_is_kept_and_the_middle_cropped(tmp_path: Path) -> None:
    frames = torch.zeros(8, 32, 96, 3)
    frames[:, :, 32:64] = 1.0  # white only where the middle square is
    write_video(tmp_path / "wide.mp4", frames, 8.0, clock_sound(1.0))
    wide = read_clip(item(tmp_path / "wide.mp4"), 0.0, 8, 8.0, 32, 32).frames.float() / 255
    assert wide[:, :, 3:-3].min() > 0.9
    write_video(tmp_path / "tall.mp4", frames.transpose(1, 2).contiguous(), 8.0, clock_sound(1.0))
    tall = read_clip(item(tmp_path / "tall.mp4"), 0.0, 8, 8.0, 16, 16).frames.float() / 255
    assert tall[:, 2:-2].min() > 0.9


def test_sound_of_its_own_file(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "a.mp4", sound=False)
    other = write_clip(tmp_path / "b.mp4", pitch=880.0)
    clip = read_clip(item(video, audio=other), 0.0, 8, 8.0, 16, 16)
    spectrum = torch.fft.rfft(clip.sound.samples[0]).abs()
    assert int(spectrum.argmax()) == 880


def test_a_clip_number_is_always_the_same_clip(tmp_path: Path) -> None:
    thing = item(write_clip(tmp_path / "a.mp4", seconds=4.0))
    starts = [cut(thing, number, data(), seed=1).start for number in range(20)]
    assert starts == [cut(thing, number, data(), seed=1).start for number in range(20)]
    assert len(set(starts)) > 15
    assert min(starts) < 0.7
    assert 2.3 < max(starts) <= 3.0
    assert cut(thing, 5, data(start="fixed", start_seconds=1.5), seed=1).start == 1.5


def test_what_cannot_be_cut_says_why(tmp_path: Path) -> None:
    good = write_clip(tmp_path / "good.mp4")
    silent = write_clip(tmp_path / "silent.mp4", sound=False)
    short = write_clip(tmp_path / "short.mp4", seconds=0.75)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(good.read_bytes()[:1500])
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    late = write_clip(tmp_path / "late.mp4", seconds=2.0, sound=False)
    write_video(tmp_path / "brief.mp4", pictures(0.5, 8.0), 8.0, Waveform(torch.zeros(1, RATE), RATE))
    expected = {
        item(silent): "no sound",
        item(short): "too short",
        item(broken): "broken",
        item(empty): "broken",
        item(tmp_path / "gone.mp4"): "missing file",
        item(late, audio=tmp_path / "brief.mp4"): "too short",
    }
    for thing, kind in expected.items():
        with pytest.raises(MediaError) as caught:
            cut(thing, 0, data(), seed=1)
        row = unusable(thing, caught.value)
        assert (row.id, row.kind) == (thing.id, kind), row.reason
