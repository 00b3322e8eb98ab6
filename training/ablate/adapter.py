"""The adapters that are compared: AudioMapper in several configurations, and a linear map.

Legend: B clips, T audio steps, Q frequency patches, W input width, F frames, D token width.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from a2v_core.tokens import AudioMapper, MapperConfig, interpolate_steps

from .settings import Variant


class LinearMapper(nn.Module):
    """A linear map from BEATs features to the `temp` token of a frame: no MLP, no windows, no pooling."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(input_size, output_size)

    def map_features(self, features: Tensor, times: Tensor, num_frames: int, fps: float) -> Tensor:
        tokens: Tensor = interpolate_steps(self.fc1(features.mean(dim=2)), times, num_frames, fps)
        return tokens

    def pool_words(self, tokens: Tensor) -> dict[str, Tensor]:
        return {"temp": tokens}


Adapter = AudioMapper | LinearMapper


def make_adapter(variant: Variant, input_size: int, token_width: int, seed: int) -> Adapter:
    """An adapter with random weights from the seed; the global generator is left as it was."""
    with seeded(seed):
        if variant.kind == "linear":
            return LinearMapper(input_size, token_width)
        windows = () if variant.single_vector else variant.windows
        config = MapperConfig(
            input_size=input_size,
            hidden_size=variant.hidden_size,
            output_size=token_width,
            layout=variant.layout,
            windows=windows,
            depth=variant.depth,
            words=variant.words,
        )
        return AudioMapper(config)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """While it lasts, torch's random numbers on the CPU come from this seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def count_parameters(adapter: nn.Module) -> int:
    """Number of parameters of an adapter."""
    return sum(parameter.numel() for parameter in adapter.parameters())
