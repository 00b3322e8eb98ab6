"""Onsets lie on the hits, to milliseconds, at any rate; what only looks like one is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from a2v_core.errors import MediaError
from a2v_core.media import Waveform
from a2v_core.signals import FLUX, ONSET, measure
from a2v_core.signals.analysis.onsets import OnsetMeter
from benchmarks.signals_study.matching import Tally
from benchmarks.signals_study.scenes import world_scene
from tests.signals.sounds import bursts, noise, tone, waveform

HITS = [0.4, 0.731, 1.2043, 1.5]


def times(sound: Waveform) -> list[float]:
    return [onset.time for onset in measure(sound).onsets]


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 96000, 192000])
def test_bursts_are_found_where_they_begin(rate: int) -> None:
    assert times(bursts(HITS, 2.0, rate)) == pytest.approx(HITS, abs=0.0005)


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_count_by_their_mean(channels: int) -> None:
    assert times(bursts(HITS, 2.0, 44100, channels=channels)) == times(bursts(HITS, 2.0, 44100))


@pytest.mark.parametrize("name", ["plain", "noise", "two", "long"])
def test_hits_of_generated_scenes(name: str) -> None:
    """The whole sets, and recorded drums, are in `benchmarks.signals_study`."""
    tally = Tally()
    for number in range(4):
        scene = world_scene(name, number)
        tally.add(times(waveform(scene.samples, scene.rate)), scene.times)
    facts = tally.facts()
    assert facts["hits"] >= 8
    assert facts["recall_10"] == facts["precision_10"] == 1.0
    assert abs(facts["median_ms"]) < 0.5


def test_the_size_of_the_blocks_does_not_matter() -> None:
    """15 s are more than a chunk of the analysis."""
    scene = world_scene("long", 1)
    samples = np.tile(scene.samples, 2)[: 15 * scene.rate]
    whole = _fed(samples, scene.rate, len(samples))
    assert len(whole) > 15
    for size in (977, scene.rate):
        assert _fed(samples, scene.rate, size) == pytest.approx(whole, abs=1e-6)


def _fed(samples: np.ndarray, rate: int, size: int) -> list[float]:
    meter = OnsetMeter(rate)
    for start in range(0, len(samples), size):
        meter.feed(samples[start : start + size])
    return [onset.time for onset in meter.finish()[1]]


def test_strength_is_the_rise_of_the_amplitude() -> None:
    loud, soft = bursts([0.5], 1.0, 44100), bursts([0.5], 1.0, 44100)
    both = waveform(np.concatenate([loud.samples.numpy(), 0.25 * soft.samples.numpy()], axis=1), 44100)
    assert [onset.strength for onset in measure(both).onsets] == pytest.approx([1.0, 0.25], abs=0.01)


def test_a_hit_at_the_very_start_is_found_and_a_cut_into_steady_sound_is_none() -> None:
    assert times(bursts([0.0, 0.5], 1.0, 44100)) == pytest.approx([0.0, 0.5], abs=0.001)
    assert times(noise(0.05, 2.0, 44100)) == []
    assert times(tone(440, 0.5, 2.0, 44100)) == []


def test_a_sound_that_is_cut_off_has_no_onset_there() -> None:
    samples = tone(440, 0.5, 1.0, 44100).samples.numpy()
    silence = np.zeros((1, 44100), np.float32)
    fade = np.minimum(1, np.arange(44100) / 44100)[None].astype(np.float32)
    assert times(waveform(np.concatenate([samples * fade, silence], axis=1), 44100)) == []


def test_the_flux_peaks_with_the_hits() -> None:
    curve = measure(bursts(HITS, 2.0, 48000), (ONSET, FLUX)).curves[FLUX]
    for hit in HITS:
        near = slice(round((hit - 0.03) / curve.step_seconds), round((hit + 0.03) / curve.step_seconds))
        peak = near.start + int(np.argmax(curve.values[near]))
        assert (peak + 0.5) * curve.step_seconds == pytest.approx(hit, abs=0.006)


@pytest.mark.parametrize("samples", [np.zeros((1, 44100)), np.zeros((1, 1)), np.zeros((2, 3))])
def test_silence_and_next_to_nothing_have_none(samples: np.ndarray) -> None:
    found = measure(waveform(samples, 44100), (ONSET, FLUX))
    assert found.onsets == ()
    assert found.duration == samples.shape[1] / 44100
    assert float(found.curves[FLUX].values.max(initial=0)) == 0


def test_a_single_loud_sample_is_a_hit() -> None:
    assert times(waveform(np.ones((1, 1)), 44100)) == pytest.approx([0.0], abs=0.003)


def test_bad_sounds_are_refused() -> None:
    bad = bursts([0.5], 1.0, 44100)
    bad.samples[0, 100] = float("nan")
    with pytest.raises(MediaError, match="1 of 44100 samples are NaN"):
        measure(bad)
    with pytest.raises(MediaError, match="at least one each"):
        measure(Waveform(torch.zeros(1, 0), 44100))
