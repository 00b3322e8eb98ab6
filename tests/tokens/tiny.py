"""Small real mappers, audio features to feed them, and the published method written out step by step.

Legend: L encoder layers, T audio steps, Q frequency patches, D widths.
"""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor

from a2v_core.audio.features import AudioFeatures
from a2v_core.tokens import AudioMapper, MapperConfig
from a2v_core.tokens.types import Layout
from tests.golden_recipe import fill_module, recipe

LAYERS, PATCHES, LAYER_WIDTH = 2, 8, 6
STEP = 0.16


def tiny_config(layout: Layout = "reference") -> MapperConfig:
    return MapperConfig(input_size=LAYERS * LAYER_WIDTH, hidden_size=10, output_size=8, layout=layout)


def tiny_mapper(layout: Layout = "reference") -> AudioMapper:
    mapper = AudioMapper(tiny_config(layout))
    mapper.load_state_dict({key: 2 * value for key, value in fill_module(mapper.state_dict()).items()})
    return mapper.eval()


def features_of(times: list[float], duration: float, batch: int = 1, name: str = "sound") -> AudioFeatures:
    """Noise for features, a different one at every step."""
    layers = recipe(name, (batch, LAYERS, len(times), PATCHES, LAYER_WIDTH)) * 4
    return AudioFeatures(layers, torch.tensor(times), duration, STEP, torch.zeros(batch, 16000))


def sound_of(duration: float, batch: int = 1, name: str = "sound") -> AudioFeatures:
    """Features of a sound encoded at once, with as many steps as BEATs makes of it."""
    rows = 1 + (round(duration * 16000) - 400) // 160
    return features_of([STEP * n for n in range(rows // 16)], duration, batch, name)


def published_run(mapper: AudioMapper, tokens: Tensor) -> dict[str, Tensor]:
    """Audio tokens [n, width], n divisible by 24 -> word -> [24, D], the way the published code does it."""
    weights = mapper.state_dict()

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    hidden = linear(nnf.gelu(linear(nnf.gelu(linear(tokens, "fc1")), "fc2")), "fc3")
    frames = linear(nnf.gelu(hidden.view(24, -1, hidden.shape[-1]).mean(dim=1)), "fc4")
    words = {"temp": frames}
    for number, reach in enumerate((1, 2, 4, 8), start=1):
        means = [frames[max(i - reach, 0) : min(i + reach, 24)].mean(dim=0) for i in range(24)]
        words[f"local{number}"] = torch.stack(means)
    words["class"] = attention_by_hand(mapper, frames).expand(24, -1)
    return words


def attention_by_hand(mapper: AudioMapper, frames: Tensor) -> Tensor:
    """Tokens [F, D] -> [D]: the mean of the frames, weighted by `weights_by_hand`."""
    return (weights_by_hand(mapper, frames)[:, None] * frames).sum(dim=0)


def weights_by_hand(mapper: AudioMapper, frames: Tensor) -> Tensor:
    """Tokens [F, D] -> [F]: equations 4 to 7 one frame, and one pair of frames, at a time."""
    weights = {key: value.squeeze(-1) for key, value in mapper.state_dict().items()}

    def embed(token: Tensor, name: str) -> Tensor:
        return weights[f"fga.{name}.weight"] @ token + weights[f"fga.{name}.bias"]

    scores = []
    for token in frames:
        seen = embed(token, "un_models.0.embed").clamp(min=0)
        local = embed(seen, "un_models.0.feature_reduce")[0]
        x = embed(token, "pp_models.0.embed_X")
        cosines = [torch.cosine_similarity(x, embed(t, "pp_models.0.embed_Y"), dim=0) for t in frames]
        mix = weights["fga.reduce_potentials.0.weight"][0]
        scores.append(mix[0] * local + mix[1] * sum(cosines) / len(frames))
    shares = torch.stack([torch.exp(score - max(scores)) for score in scores])
    return shares / shares.sum()
