"""Many prompts in a row: the server's memory stays where it was after the first ones."""

from __future__ import annotations

import psutil

from tests.comfyui.driver import Comfy, Graph, changed

PROMPTS = 20
WARM_UP = 4
MOST_GROWTH = 32 * 2**20  # a leaked toy model alone is more, a leaked clip for each prompt too


def test_twenty_prompts_with_different_seeds(comfy: Comfy, graph: Graph) -> None:
    server = psutil.Process(comfy.server.process.pid)

    def run(first_seed: int, count: int) -> int:
        seeds = range(first_seed, first_seed + count)
        for prompt_id in [comfy.submit(changed(graph, A2VT2VSampler={"seed": seed})) for seed in seeds]:
            assert comfy.result(prompt_id, graph).error is None
        return int(server.memory_info().rss)

    before = run(1000, WARM_UP)
    after = run(2000, PROMPTS)
    print(f"resident memory: {before / 2**20:.0f} MiB, after {PROMPTS} more prompts {after / 2**20:.0f} MiB")
    assert after - before < MOST_GROWTH
