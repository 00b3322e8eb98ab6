"""Many units at once, but never more than a bound: what is not yet needed is not in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def flow(items: Iterable[T], do: Callable[[T], Awaitable[R]], at_once: int) -> AsyncIterator[R]:
    """The results of `do` for all items as they come. An item is asked for once fewer than `at_once` are on
    their way; when one raises, those on their way are cancelled, and it is raised.
    """
    running: set[asyncio.Future[R]] = set()
    try:
        for item in items:
            running.add(asyncio.ensure_future(do(item)))
            while len(running) >= at_once:
                finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for one in finished:
                    yield one.result()
        while running:
            finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for one in finished:
                yield one.result()
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)
