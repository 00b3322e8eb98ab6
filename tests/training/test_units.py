"""Units of precompute: the same whoever makes them, resumed, and at peace with older caches."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from a2v_core.workers import Placement, Share
from tests.training.started import start
from training.cache import Entry, open_cache, read_sample
from training.cache.build import LEASES, precompute
from training.cache.units import OLD, Unit, plan_of, units_of
from training.config import Config, make_config
from training.data import Item
from training.errors import DataError
from training.loop import fit
from training.parts import read_lines


def plan(*names: str) -> list[tuple[Item, int]]:
    return [(Item(name, Path(name), "train"), number) for name in names for number in range(2)]


def keys(units: list[Unit]) -> list[list[str]]:
    return [[f"{item.id}{number}" for item, number in unit.requests] for unit in units]


def shards(config: Config) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in config.cache_dir.glob("shard-*")}


def test_a_plan_that_has_been_begun_goes_on() -> None:
    whole = units_of(plan("a", "b", "c"), {}, 4)
    assert keys(whole) == [["a0", "a1", "b0", "b1"], ["c0", "c1"]]
    name = plan_of(whole[0].path(Path()))
    assert [unit.name for unit in whole] == [f"shard-{name}-00000{number}" for number in (0, 1)]
    begun = {name: {("a", 0), ("a", 1), ("b", 0), ("b", 1)}}
    assert units_of(plan("a", "b", "c"), begun, 4) == whole
    assert units_of(plan("a", "b", "c"), begun, 3)[0].name != whole[0].name

    # More files: what is missing is a plan of its own, that is resumed too.
    more = units_of(plan("a", "aa", "b", "c"), begun, 4)
    assert keys(more) == [["aa0", "aa1", "c0", "c1"]]
    begun[plan_of(more[0].path(Path()))] = {("aa", 0), ("aa", 1), ("c", 0), ("c", 1)}
    assert units_of(plan("a", "aa", "b", "c"), begun, 4) == more

    old = {plan_of(Path("shard-000007.safetensors")): {("a", 0)}}
    assert list(old) == [OLD]
    rest = units_of(plan("a", "b"), old, 2)
    assert keys(rest) == [["a1", "b0"], ["b1"]]
    assert units_of(plan("a", "b"), old | {plan_of(rest[0].path(Path())): {("a", 1), ("b", 0)}}, 2) == rest


def test_shares_make_the_same_shards(values: dict[str, Any]) -> None:
    """Of every share in a folder of its own, and of all in one."""
    whole = make_config(values)
    precompute(whole, progress=False)
    expected = shards(whole)
    assert len(expected) == 4
    made: dict[str, bytes] = {}
    for index in range(2):
        values["output_dir"] += "-part"
        part = make_config(values)
        built = precompute(part, progress=False, placement=Placement(Share(index, 2)))
        assert not built.complete
        assert not made.keys() & shards(part).keys()
        made |= shards(part)
        with pytest.raises(DataError, match="not complete"):
            open_cache(part)
    assert made == expected
    for name, content in made.items():
        (part.cache_dir / name).write_bytes(content)
    assert precompute(part, progress=False)[:2] == (10, 0)
    assert open_cache(part) is not None
    assert list((part.cache_dir / LEASES).iterdir()) == []


def test_an_old_cache_goes_on_and_trains_the_same(values: dict[str, Any]) -> None:
    """Shards with the numbers of their processes, one missing, and without checksums."""
    new = make_config(values)
    precompute(new, progress=False)
    values["output_dir"] += "-old"
    old = make_config(values)
    old.cache_dir.mkdir(parents=True)
    for number, (_, content) in enumerate(sorted(shards(new).items())[:3]):
        (old.cache_dir / f"shard-{number:06d}.safetensors").write_bytes(content)
    built = precompute(old, progress=False)
    assert built[:2] == (10, 1)
    assert sorted(plan_of(Path(name)) == OLD for name in shards(old)) == [False, True, True, True]
    for config in (new, old):
        fit(config, progress=False)
    curves = [read_lines(config.output_dir / "metrics.jsonl") for config in (new, old)]
    assert [line["loss"] for line in curves[0]] == [line["loss"] for line in curves[1]]


def test_a_wrong_checksum(values: dict[str, Any]) -> None:
    config = make_config(values)
    precompute(config, progress=False)
    contents = open_cache(config)
    assert contents is not None
    entry = contents.entries[0]
    content = bytearray(entry.path.read_bytes())
    content[-40] ^= 1
    entry.path.write_bytes(content)
    clips = sorted(other for other in contents.entries if other.path == entry.path)
    messages = [message_of(clip) for clip in clips]
    assert sum("the checksum of clip" in message for message in messages) == 1
    assert messages.count("") == len(messages) - 1


def message_of(entry: Entry) -> str:
    try:
        read_sample(entry)
    except DataError as error:
        return str(error)
    return ""


def test_two_that_know_nothing_of_each_other_and_one_is_killed(
    values: dict[str, Any], tmp_path: Path, warm_python: str
) -> None:
    """They stand for two machines with a common disk: one is killed in the midst of a shard."""
    whole = make_config(values)
    precompute(whole, progress=False)
    values["output_dir"] += "-two"
    config = tmp_path / "config.yaml"
    config.write_text(str(values))
    two = make_config(values)
    first = start(warm_python, "-m", "training.precompute", str(config))
    leases = two.cache_dir / LEASES
    end = time.monotonic() + 300
    while not list(leases.glob("*.lease")):
        assert time.monotonic() < end
        time.sleep(0.005)
    os.kill(first.pid, signal.SIGSTOP)  # with a unit of its own
    held = list(leases.glob("*.lease"))
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(precompute, two, progress=False)
        while len(shards(two)) + len(held) < 4:
            assert not second.done()
            time.sleep(0.01)
        first.kill()
        assert second.result(120).complete
    assert shards(two) == shards(whole)
    assert open_cache(two) is not None
    assert list(leases.glob("*.lease")) == []
