"""Sound -> features of every BEATs layer, whole or in chunks, at the encoder's own hop or a finer one.

BEATs has a hop of 160 ms. Encoding the same sound again from 160/r, 2 * 160/r, ... ms onwards and
interleaving the results gives a hop of 160/r ms with the same model (r = 1 is the published code).

Cost: time grows with the square of the length that is encoded at once (8 tokens per 160 ms attend to each
other), memory linearly. BEATs was trained on sounds of 10 s, and the published pipeline encodes crops of 1 or
2 s: chunks keep long sounds cheap and close to these lengths.
"""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from torch import Tensor

from ..errors import A2VError, MediaError
from .beats import BEATs
from .fbank import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE, beats_fbank, frame_count
from .features import AudioFeatures
from .mono import to_mono_16k

HOP_DIVISORS = (1, 2, 4)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Piece:
    """Samples start..stop of the 16 kHz sound; its steps begin at first_step of the result.

    `shifts` of its shifted encodings are long enough for a step.
    """

    start: int
    stop: int
    first_step: int
    steps: int
    shifts: int


@torch.no_grad()
def encode_audio(
    model: BEATs,
    samples: Tensor,
    sample_rate: int,
    hop_divisor: int = 1,
    chunk_seconds: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> AudioFeatures:
    """Encode sounds [B, C, N] at `sample_rate` Hz. The model runs on its device; features are on the CPU.

    hop_divisor    r: steps every 160/r ms, one of 1, 2, 4
    chunk_seconds  encode chunks of this length separately (the published code: 2 s crops); 0 encodes the
                   whole sound at once. A last chunk too short for one step is left out
    progress       called as progress(done, total) after every piece (chunk x shift); may raise to cancel

    A sound shorter than the input of one step (0.175 s) is padded with silence, which the log notes.

    Raises MediaError for an empty sound, NaN or infinite samples, and a chunk shorter than one step;
    A2VError for another hop divisor.
    """
    config = model.config
    patch = config.input_patch_size
    if hop_divisor not in HOP_DIVISORS or patch % hop_divisor:
        raise A2VError(f"hop divisor must be one of {HOP_DIVISORS} (160, 80 or 40 ms), got {hop_divisor}")
    if samples.ndim != 3:
        raise MediaError(f"sounds must be [sounds, channels, samples], got an array of {list(samples.shape)}")
    waveform = _padded(to_mono_16k(samples, sample_rate).cpu(), patch)
    pieces = list(_pieces(waveform.shape[-1], chunk_seconds, patch, hop_divisor))

    weight = model.patch_embedding.weight
    total_steps = pieces[-1].first_step + pieces[-1].steps
    bands, width = config.frequency_patches, config.encoder_embed_dim
    layers = torch.empty(waveform.shape[0], config.encoder_layers, total_steps, bands, width)
    times = torch.empty(total_steps)
    step_seconds = patch * HOP_SAMPLES / SAMPLE_RATE / hop_divisor
    done, total = 0, sum(piece.shifts for piece in pieces)
    for piece in pieces:
        fbank = beats_fbank(waveform[:, piece.start : piece.stop]).to(weight.device, weight.dtype)
        last_step = piece.first_step + piece.steps
        offsets = torch.arange(piece.steps, dtype=torch.float64)
        times[piece.first_step : last_step] = (piece.start / SAMPLE_RATE + offsets * step_seconds).float()
        for shift in range(piece.shifts):
            # Frames start every 10 ms, so a later start of the sound is a later first frame.
            outputs = model(fbank[:, shift * patch // hop_divisor :])
            steps = slice(piece.first_step + shift, last_step, hop_divisor)
            for layer, output in enumerate(outputs):
                layers[:, layer, steps] = output.unflatten(1, (-1, bands)).to("cpu", torch.float32)
            done += 1
            if progress is not None:
                progress(done, total)
    return AudioFeatures(
        layers=layers,
        times=times,
        duration=samples.shape[-1] / sample_rate,
        step_seconds=step_seconds,
        waveform_16k=waveform,
    )


def _step_samples(patch: int) -> int:
    """Receptive field of one step, before attention: samples at 16 kHz."""
    return FRAME_SAMPLES + (patch - 1) * HOP_SAMPLES


def _padded(waveform: Tensor, patch: int) -> Tensor:
    """The sounds [B, N], padded with silence where they are too short for one step."""
    missing = _step_samples(patch) - waveform.shape[-1]
    if missing <= 0:
        return waveform
    _LOG.warning(
        "the sound lasts %.3f s; silence is added up to the %.3f s that BEATs needs",
        waveform.shape[-1] / SAMPLE_RATE,
        _step_samples(patch) / SAMPLE_RATE,
    )
    return nnf.pad(waveform, (0, missing))


def _pieces(num_samples: int, chunk_seconds: float, patch: int, hop_divisor: int) -> Iterator[_Piece]:
    """Cut a 16 kHz sound into the pieces that are encoded separately."""
    shortest = _step_samples(patch)
    seconds = shortest / SAMPLE_RATE
    if chunk_seconds and not chunk_seconds >= seconds:
        raise MediaError(
            f"chunk_seconds must be 0 (the whole sound) or at least {seconds:.3f} s, got {chunk_seconds}"
        )
    chunk_seconds = min(chunk_seconds, num_samples / SAMPLE_RATE) or num_samples / SAMPLE_RATE
    first_step = 0
    for number in range(math.ceil(num_samples / SAMPLE_RATE / chunk_seconds)):
        # Starts are rounded one by one: chunks that are no whole number of samples must not drift.
        start = round(number * chunk_seconds * SAMPLE_RATE)
        stop = min(round((number + 1) * chunk_seconds * SAMPLE_RATE), num_samples)
        if stop - start < shortest:
            break
        # The shifts with one patch more come first, so the steps of a piece interleave without a gap.
        frames = frame_count(stop - start)
        steps = sum((frames - shift * patch // hop_divisor) // patch for shift in range(hop_divisor))
        yield _Piece(start, stop, first_step, steps, shifts=min(hop_divisor, steps))
        first_step += steps
