"""What is random is a function of the seed and the place: order, clips, timesteps, noise, dropout."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.config import Loss
from training.loop.order import BatchSampler, ClipOrder, draw

FILES = [(f"file{number}", [0, 1, 4]) for number in range(7)]


def test_every_epoch_has_every_file_once_with_another_clip() -> None:
    order = ClipOrder(5, FILES)
    epochs = [[order.at(place) for place in range(7 * epoch, 7 * epoch + 7)] for epoch in range(4)]
    for epoch, number in zip(epochs, (0, 1, 4, 0), strict=True):
        assert sorted(name for name, _ in epoch) == [name for name, _ in FILES]
        assert {number for _, number in epoch} == {number}
    orders = [[name for name, _ in epoch] for epoch in epochs]
    assert len({tuple(order) for order in orders}) == 4
    assert [ClipOrder(5, FILES).at(place) for place in range(28)] == [
        clip for epoch in epochs for clip in epoch
    ]
    assert [ClipOrder(6, FILES).at(place)[0] for place in range(7)] != orders[0]
    assert ClipOrder(5, [("a", [])]).at(12) == ("a", 12)


@pytest.mark.parametrize(
    ("processes", "batch_size", "accumulate"), [(1, 8, 1), (1, 2, 4), (2, 4, 1), (2, 2, 2)]
)
def test_processes_and_accumulation_share_a_step(processes: int, batch_size: int, accumulate: int) -> None:
    dealt = []
    for process in range(processes):
        sampler = BatchSampler(batch_size, accumulate, processes, process)
        assert sampler.global_batch == 8
        batches = list(sampler.batches(3, 5))
        assert len(batches) == 2 * accumulate
        assert all(len(batch) == batch_size for batch in batches)
        dealt += [place for batch in batches for place in batch]
    assert sorted(dealt) == list(range(24, 40))


def test_draws_follow_the_config() -> None:
    def timesteps(**loss: object) -> np.ndarray:
        settings = Loss.model_validate(loss)
        return np.array([draw(1, place, (1,), settings, 1000).timestep for place in range(2000)])

    uniform = timesteps()
    assert uniform.min() >= 0
    assert uniform.max() <= 999
    assert abs(uniform.mean() - 500) < 20
    # The density of high_noise is 2 u: its mean is two thirds.
    assert abs(timesteps(timesteps="high_noise").mean() - 667) < 20
    logit_normal = timesteps(timesteps="logit_normal")
    assert abs(logit_normal.mean() - 500) < 20
    assert logit_normal.std() < 0.85 * uniform.std()
    # The median of a logit-normal level is 1/2, that of a shifted one k / (1 + k).
    drawn = [
        draw(1, place, (1,), Loss(timesteps="logit_normal"), 1000, shift=3.0).timestep
        for place in range(2000)
    ]
    assert abs(np.median(drawn) - 750) < 15
    assert abs(np.mean(np.array(drawn) < 500) - 0.136) < 0.03  # P(n < -log 3) for a standard normal n
    part = timesteps(timestep_min=200, timestep_max=300)
    assert (part.min(), part.max()) == (200, 300)


def test_noise_and_dropout() -> None:
    loss = Loss(condition_dropout=0.25)
    draws = [draw(1, place, (4, 3, 2, 2), loss, 1000) for place in range(1000)]
    assert abs(sum(d.dropped for d in draws) / 1000 - 0.25) < 0.04
    assert not any(draw(1, place, (1,), Loss(), 1000).dropped for place in range(100))
    noise = torch.stack([d.noise for d in draws])
    assert noise.shape == (1000, 4, 3, 2, 2)
    assert abs(float(noise.mean())) < 0.02
    assert abs(float(noise.std()) - 1) < 0.02
    again = draw(1, 17, (4, 3, 2, 2), loss, 1000)
    assert torch.equal(again.noise, draws[17].noise)
    assert not torch.equal(draw(2, 17, (4, 3, 2, 2), loss, 1000).noise, draws[17].noise)
