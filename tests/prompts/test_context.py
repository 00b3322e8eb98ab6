"""Texts of a batch: a text for all frames takes the memory of one, and is the same as copies of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from a2v_core.prompts import ContextBatch, FrameContext
from tests.golden_recipe import recipe

FRAMES, LENGTH, WIDTH = 6, 5, 4


def context(name: str, distinct: int = 1) -> FrameContext:
    states = recipe(name, (distinct, LENGTH, WIDTH))
    return FrameContext(states, torch.arange(FRAMES) % distinct, recipe("audio", (FRAMES, 3, 2)))


def copied(batch: ContextBatch) -> ContextBatch:
    return ContextBatch(batch.states.contiguous(), batch.audio, batch.gate)


CHANGES: list[Callable[[ContextBatch], ContextBatch]] = [
    lambda batch: batch,
    lambda batch: batch.rows([1]),
    lambda batch: batch.rows([1, 0]),
    lambda batch: batch.frames(torch.tensor([4, 0, 0])),
    lambda batch: batch.to("cpu", torch.float64),
    lambda batch: batch.to("cpu", torch.float64).frames(torch.tensor([1, 2])).rows([1]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_one_text_for_all_frames_is_a_view(change: Callable[[ContextBatch], ContextBatch]) -> None:
    batch = ContextBatch.of([context("a"), context("b")])
    found, expected = change(batch), change(copied(batch))
    assert torch.equal(found.states, expected.states)
    assert found.audio is not None
    assert expected.audio is not None
    assert torch.equal(found.audio, expected.audio)
    assert found.gate is not None
    assert expected.gate is not None
    assert torch.equal(found.gate, expected.gate)
    values = found.states.untyped_storage().nbytes() // found.states.element_size()
    assert values == len(found) * LENGTH * WIDTH
    copies = expected.states.untyped_storage().nbytes() // expected.states.element_size()
    assert copies == expected.states.numel()


def test_texts_that_differ_by_frame_stay() -> None:
    batch = ContextBatch.of([context("a", 2), context("b")])
    assert torch.equal(batch.states[0, 3], context("a", 2).states[1])
    assert torch.equal(batch.states[1, 3], context("b").states[0])
    assert torch.equal(batch.frames(torch.tensor([3])).states, batch.states[:, 3:4])
