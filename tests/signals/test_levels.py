"""Levels are what their standards say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from a2v_core.errors import A2VError
from a2v_core.signals import measure
from a2v_core.signals.analysis import band_of, integrated_loudness, k_weighting, lufs
from a2v_core.signals.schedule import curve_frames, frame_axis
from tests.signals.sounds import noise, tone, waveform

# ITU-R BS.1770-5, tables 1 and 2: the filters at 48 kHz.
SHELF = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
HIGH_PASS = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]


def test_k_weighting_at_48_khz_is_the_published_filter() -> None:
    assert k_weighting(48000).tolist() == [pytest.approx(SHELF, abs=1e-8), pytest.approx(HIGH_PASS, abs=1e-8)]


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000, 96000])
def test_k_weighting_has_the_same_response_at_every_rate(rate: int) -> None:
    from scipy.signal import sosfreqz

    hertz = [50.0, 200.0, 1000.0, 3000.0]
    there = np.abs(sosfreqz(k_weighting(rate), hertz, fs=rate)[1])
    standard = np.abs(sosfreqz(k_weighting(48000), hertz, fs=48000)[1])
    assert 20 * np.log10(there / standard) == pytest.approx(np.zeros(4), abs=0.35)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_a_full_scale_sine_has_the_loudness_of_the_standard(rate: int) -> None:
    """BS.1770: 997 Hz at 0 dB of full scale in one channel reads -3.01 LUFS."""
    curve = measure(tone(997, 1.0, 3.0, rate), ("loudness",)).curves["loudness"]
    assert integrated_loudness(curve) == pytest.approx(-3.01, abs=0.04)


def test_programme_loudness_as_in_ebu_tech_3341() -> None:
    """Case 3: 10 s at -36, 60 s at -23, 10 s at -36 dB of a stereo sine of 1 kHz read -23 LUFS."""
    parts = [
        tone(1000, 10 ** (level / 20), seconds, 48000, 2)
        for level, seconds in ((-36, 10), (-23, 60), (-36, 10))
    ]
    sound = waveform(np.concatenate([part.samples.numpy() for part in parts], axis=1), 48000)
    assert integrated_loudness(measure(sound, ("loudness",)).curves["loudness"]) == pytest.approx(
        -23, abs=0.1
    )


def test_surround_channels_weigh_more_and_the_low_frequency_channel_nothing() -> None:
    def loudness(channel: int) -> float:
        samples = np.zeros((6, 96000), np.float32)
        samples[channel] = tone(997, 0.1, 2.0, 48000).samples[0].numpy()
        curve = measure(waveform(samples, 48000), ("loudness",)).curves["loudness"]
        return float(lufs(curve.values[200:].mean()))

    assert loudness(4) - loudness(0) == pytest.approx(10 * math.log10(1.41), abs=0.01)
    assert loudness(3) == pytest.approx(-120, abs=0.5)


def test_silence_has_no_loudness() -> None:
    curve = measure(waveform(np.zeros((1, 96000)), 48000), ("loudness",)).curves["loudness"]
    assert integrated_loudness(curve) is None
    assert float(lufs(curve.values.max())) == pytest.approx(-120.0)


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
@pytest.mark.parametrize("signal", ["rms", "mids", "900-1100"])
def test_a_sine_has_its_own_level(rate: int, signal: str) -> None:
    found = measure(tone(1000, 0.4, 2.0, rate, channels=2), (signal,))
    values = curve_frames(found.curves[signal], frame_axis(25, 0, found.duration))
    assert values[3:-3] == pytest.approx(np.full(44, 0.4 / math.sqrt(2)), rel=0.02)


def test_bands_divide_the_power_of_noise() -> None:
    found = measure(noise(0.1, 4.0, 44100), ("0-5000", "5000-22050", "rms"))
    means = {name: float(curve.values.mean()) for name, curve in found.curves.items()}
    assert means["0-5000"] + means["5000-22050"] == pytest.approx(means["rms"], rel=0.02)
    assert means["0-5000"] / means["rms"] == pytest.approx(5000 / 22050, rel=0.03)


def test_a_band_that_the_rate_does_not_reach_is_silent() -> None:
    curve = measure(noise(0.1, 1.0, 8000), ("brilliance",)).curves["brilliance"]
    assert float(curve.values.max()) == 0


def test_all_signals_cover_the_same_time() -> None:
    found = measure(noise(0.1, 3.21, 44100), ("rms", "loudness", "flux", "bass"))
    for curve in found.curves.values():
        assert len(curve.values) * curve.step_seconds == pytest.approx(3.21, abs=0.011)


@pytest.mark.parametrize(
    ("name", "says"),
    [("bas", "Signal 'bas' is unknown: choose onset"), ("200-80", "its lower end first"), ("", "unknown")],
)
def test_unknown_signals_are_named(name: str, says: str) -> None:
    with pytest.raises(A2VError, match=says):
        band_of(name)
