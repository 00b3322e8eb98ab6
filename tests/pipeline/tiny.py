"""A tiny mapper and tokens for the tiny BEATs and text-to-video model of the tests."""

from __future__ import annotations

from a2v_core.tokens import AudioMapper, AudioTokens, Layout, MapperConfig
from tests.golden_recipe import fill_module, recipe
from tests.tiny_t2v import TEXT_WIDTH


def mapper_of(layout: Layout, **facts: object) -> AudioMapper:
    config = MapperConfig(input_size=96, hidden_size=12, output_size=TEXT_WIDTH, layout=layout, facts=facts)
    mapper = AudioMapper(config)
    mapper.load_state_dict(fill_module(mapper.state_dict()))
    return mapper.eval()


def tokens_of(frames: int, fps: float = 8.0) -> AudioTokens:
    """Words that are others at every frame."""
    words = ("temp", "local1", "local2", "local3", "local4", "class")
    return AudioTokens({word: 30 * recipe(word, (frames, TEXT_WIDTH)) for word in words}, fps)
