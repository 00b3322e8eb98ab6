"""What an audio adapter costs on a Wan of 1.3B size in a real ComfyUI: 81 frames of 832 x 480."""

from __future__ import annotations

from a2v_core.headless.server import find_comfyui

from ..adapter.__main__ import run_graph, serving
from ..adapter.models import FULL, Size, write_models
from .comfyui import flags
from .job import Job, Step
from .record import Note

SLOWDOWN = 1.10
TINY = Size(1, 3, 128, token_width=64, inner=64, adapter_heads=2, frames=5, width=32, height=32)


def cost(job: Job, note: Note) -> None:
    """Sampling with the adapter against sampling without it, in turns: first quickly, then better."""
    size = TINY if job.tiny else FULL
    with serving(find_comfyui(), job.device.type, flags(job.folder)) as server:
        write_models(server.models, size, job.device)
        for steps, runs in ((1, 2),) if job.tiny else ((1, 2), (2, 4)):
            found = run_graph(server, size, steps, runs, threads=0)
            note(steps=steps, turns=runs - 1, frames=size.frames, **found)
            note.goal(f"an adapter costs at most {SLOWDOWN:.2f}x", found["slowdown"], at_most=SLOWDOWN)
            if job.left < 8 * found["seconds"] * 3:
                break


STEPS = (Step("Wan of 1.3B size", cost),)
