"""Scenes of recorded sounds: which recordings a list names, where they begin, and what is counted."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from training.demo_world.install import write_wav
from training.demo_world.recognise import shapes_shown
from training.demo_world.recorded import (
    CHECK_LIST,
    LISTS,
    Instrument,
    Recording,
    cut_to_attack,
    find_instruments,
    read_list,
    recorded_clip,
    score_recorded,
)
from training.demo_world.soundfont import bank_samples
from training.demo_world.sounds import SAMPLE_RATE
from training.demo_world.world import FPS, SHAPES, render
from training.errors import DataError


def burst(seconds: float = 0.2, before: float = 0.0) -> np.ndarray:
    """A decaying tone after some silence."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = np.cos(2 * np.pi * 500 * time) * np.exp(-time / 0.05)
    return np.concatenate([np.zeros(int(before * SAMPLE_RATE)), tone]).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("kit/Kick-1.wav", "kit/Kick-2.wav", "kit/Tap.wav", "notes/low.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_wav(tmp_path / name, 0.25 * burst(before=0.1))
    return tmp_path


def bank(names: list[str]) -> bytes:
    """A SoundFont bank with a short sample for each name."""
    pcm = np.tile((burst(0.05) * 20000).astype("<i2"), len(names))
    length = len(pcm) // len(names)
    headers = b"".join(
        struct.pack("<20s5IBbHH", name.encode(), n * length, (n + 1) * length, 0, 0, 16000, 60, 0, 0, 1)
        for n, name in enumerate(names)
    )

    def chunk(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body

    data = chunk(b"LIST", b"sdta" + chunk(b"smpl", pcm.tobytes()))
    lists = data + chunk(b"LIST", b"pdta" + chunk(b"shdr", headers))
    return chunk(b"RIFF", b"sfbk" + lists)


def test_a_list_names_an_object_and_a_path(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# comment\n\nball kit/Kick *.wav | kit/Snare*\nother bank.sf2#Bell*\n")
    assert read_list(path) == [("ball", ["kit/Kick *.wav", "kit/Snare*"]), ("other", ["bank.sf2#Bell*"])]
    path.write_text("ball kit/Kick.wav\ndrum kit/Snare.wav\n")
    with pytest.raises(DataError, match=r"line 2.*ball, box, .*other"):
        read_list(path)


def test_what_settings_are_found_with_is_not_what_they_are_checked_with() -> None:
    find, check, drums = (read_list(LISTS / f"{name}.txt") for name in ("find", "check", "drums"))
    for entries in (find, check):
        assert set(SHAPES) <= {shape for shape, _ in entries}
    found = {pattern for _, patterns in find for pattern in patterns}
    assert not found & {pattern for _, patterns in (*check, *drums) for pattern in patterns}
    assert CHECK_LIST == LISTS / "check.txt"


def test_recordings_are_found_by_pattern(folder: Path) -> None:
    instruments = find_instruments(
        folder, [("ball", ["kit/Kick-*"]), ("other", ["*/low.wav", "kit/Tap.wav"])]
    )
    assert [(one.shape, [recording.name for recording in one.recordings]) for one in instruments] == [
        ("ball", ["kit/Kick-1.wav", "kit/Kick-2.wav"]),
        ("other", ["notes/low.wav", "kit/Tap.wav"]),
    ]
    with pytest.raises(DataError, match=r"kit/Snare\*.*unpack"):
        find_instruments(folder, [("ball", ["kit/Snare*"])])


def test_a_recording_begins_with_its_attack(folder: Path) -> None:
    ((recording,),) = [one.recordings for one in find_instruments(folder, [("ball", ["kit/Tap.wav"])])]
    loud = np.abs(recording.samples)
    assert loud.max() == pytest.approx(1.0)
    assert np.flatnonzero(loud > 0.03)[0] <= 0.002 * SAMPLE_RATE + 1
    assert loud[-1] < 1e-3
    assert len(cut_to_attack(np.ones(10 * SAMPLE_RATE, dtype=np.float32), SAMPLE_RATE)) == 4 * SAMPLE_RATE
    with pytest.raises(DataError, match="silence"):
        cut_to_attack(np.zeros(100, dtype=np.float32), SAMPLE_RATE)


def test_samples_of_a_bank_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "bank.sf2").write_bytes(bank(["Pizz C4", "Harp C4", "EOS"]))
    found = list(bank_samples(tmp_path / "bank.sf2", "* C4"))
    assert [(name, len(samples), rate) for name, samples, rate in found] == [
        ("Pizz C4", 1102, 16000),
        ("Harp C4", 1102, 16000),
    ]
    np.testing.assert_allclose(found[0][1], burst(0.05) * 20000 / 32768, atol=1e-4)
    (instrument,) = find_instruments(tmp_path, [("ring", ["*.sf2#Harp*"])])
    assert [recording.name for recording in instrument.recordings] == ["bank.sf2#Harp C4"]
    (tmp_path / "bank.sf2").write_bytes(b"RIFF....WAVE")
    with pytest.raises(DataError, match="not a SoundFont 2 bank"):
        list(bank_samples(tmp_path / "bank.sf2", "*"))


INSTRUMENTS = [
    Instrument(shape, (Recording(f"{shape} {n}", burst()), Recording("half", 0.5 * burst())))
    for shape in ("ball", "star", "other")
    for n in range(2)
]


def test_clips_take_objects_in_turn_and_every_instrument_once() -> None:
    clips = [recorded_clip(INSTRUMENTS, number) for number in range(6)]
    assert [instrument.shape for instrument, _, _ in clips] == ["ball", "other", "star"] * 2
    assert {instrument.recordings[0].name for instrument, _, _ in clips} == {
        instrument.recordings[0].name for instrument in INSTRUMENTS
    }
    peaks = []
    for instrument, scene, sound in clips:
        assert scene.shape == ("ball" if instrument.shape == "other" else instrument.shape)
        assert scene.hits
        for hit in scene.hits:
            start = round(hit.time * SAMPLE_RATE)
            peaks.append(np.abs(sound[start : start + 50]).max() / hit.loudness)
        assert not sound[: round(scene.hits[0].time * SAMPLE_RATE)].any()
    whole = [peak for peak in peaks if peak == pytest.approx(0.8, abs=0.05)]
    half = [peak for peak in peaks if peak == pytest.approx(0.4, abs=0.05)]
    assert len(whole) + len(half) == len(peaks)
    assert whole
    assert half


def test_true_videos_score_full_marks() -> None:
    truth = {n: render(recorded_clip(INSTRUMENTS, n)[1]) for n in range(3)}

    def video(sound: np.ndarray, num_frames: int, seed: int) -> Tensor:
        assert len(sound) == round(num_frames / FPS * SAMPLE_RATE)
        return torch.from_numpy(truth[seed])

    numbers = score_recorded(video, INSTRUMENTS, 3)
    for key in ("event_recall", "event_precision", "one_object", "object_accuracy"):
        assert numbers[key] == 1.0, key
    assert numbers["av_align"] > numbers["chance"]
    assert numbers["objects"]["other"]["object_accuracy"] is None
    assert numbers["objects"]["star"]["one_object"] == 1.0


def test_frames_that_show_another_object_are_counted() -> None:
    _, scene, _ = recorded_clip(INSTRUMENTS, 0)
    ball = render(scene)
    star = render(type(scene)("star", "purple", scene.wall, scene.side, scene.duration, scene.hits))
    mixed = np.concatenate([ball[:18], star[18:]])
    assert shapes_shown(mixed) == ["ball"] * 18 + ["star"] * 6
    numbers = score_recorded(lambda sound, frames, seed: torch.from_numpy(mixed), INSTRUMENTS, 1)
    assert numbers["one_object"] == 0.75
    assert numbers["object_accuracy"] == 1.0
