"""Shares, the bound of a flow, checksums."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator

import pytest

from a2v_core.errors import A2VError
from a2v_core.workers import WHOLE, Share, flow, parse_share, sealed, unsealed


def test_every_id_belongs_to_one_share() -> None:
    ids = [f"train/clip {number}.mp4" for number in range(4000)]
    counts = Counter(index for index in range(4) for name in ids if Share(index, 4).has(name))
    assert sum(counts.values()) == len(ids)
    assert all(900 < count < 1100 for count in counts.values())
    assert all(WHOLE.has(name) for name in ids)
    # By the id alone, the same on every machine and in every version.
    assert [number for number in range(8) if Share(0, 4).has(ids[number])] == [0, 2, 6]


@pytest.mark.parametrize("text", ["4/4", "1", "-1/4", "a/b", "0/0", "1/2/3", ""])
def test_no_share(text: str) -> None:
    with pytest.raises(A2VError, match=r"expected I/N with I from 0 to N - 1"):
        parse_share(text)
    assert str(parse_share(" 2/3 ")) == "2/3"


def test_a_flow_asks_for_no_more_than_its_bound() -> None:
    asked = done = most = 0

    def items() -> Iterator[int]:
        nonlocal asked, most
        for number in range(30):
            asked += 1
            most = max(most, asked - done)
            yield number

    async def double(number: int) -> int:
        nonlocal done
        await asyncio.sleep(0.001 * (number % 3))
        done += 1
        return 2 * number

    async def run() -> list[int]:
        return [result async for result in flow(items(), double, 4)]

    assert sorted(asyncio.run(run())) == [2 * number for number in range(30)]
    assert most == 4


def test_a_flow_that_fails_leaves_nothing_behind() -> None:
    cancelled = []

    async def do(number: int) -> int:
        if number == 1:
            raise A2VError("no")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async def run() -> None:
        async for _ in flow(range(3), do, 3):
            pass

    with pytest.raises(A2VError, match="no"):
        asyncio.run(run())
    assert sorted(cancelled) == [0, 2]


def test_checksums() -> None:
    values = {"b": [1, 0.1, None, float("nan")], "a": {"x": "\u00e4"}}
    text = json.dumps(sealed(values))
    back = unsealed(json.loads(text))
    assert json.dumps(back) == json.dumps(values)
    assert unsealed({"a": 1}) == {"a": 1}
    with pytest.raises(ValueError, match="checksum"):
        unsealed(json.loads(text.replace("0.1", "0.2")))
