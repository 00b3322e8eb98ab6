"""Many units at once, but never more than a bound: what is not yet needed is not in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def flow(items: Iterable[T], do: Callable[[T], Awaitable[R]], at_once: int) -> AsyncGenerator[R, None]:
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


def results_of(items: Iterable[T], do: Callable[[T], Awaitable[R]], at_once: int) -> Iterator[R]:
    """`flow` for those who do not wait in an event loop."""
    with asyncio.Runner() as runner:
        results = flow(items, do, at_once)
        try:
            while True:
                try:
                    result = runner.run(_next(results))
                except StopAsyncIteration:
                    return
                yield result
        finally:
            runner.run(_close(results))


async def _next(results: AsyncGenerator[R, None]) -> R:
    return await anext(results)


async def _close(results: AsyncGenerator[R, None]) -> None:
    await results.aclose()
