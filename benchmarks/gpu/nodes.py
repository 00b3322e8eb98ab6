"""The nodes in a real ComfyUI on the device: as it starts by itself, and with the flags of large and of small
cards; Cancel; many prompts in a row; memory that is to be left alone.

Every server makes the same clips: with the bundled models, with the bundled Wan in ComfyUI's own sampler, and
with a model of the published size. So the videos compare between servers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.headless.server import ComfyServer, find_comfyui, texts_of
from tests.comfyui.driver import Comfy, Graph, changed, load_graph, node_of

from ..adapter.__main__ import serving
from .comfyui import flags
from .exact import decibels
from .job import Job, Step, Wrong
from .models import full_size
from .record import Note

MOUNTED = Path(__file__).parent / "comfyui_nodes"
WARM_UP, PROMPTS = 4, 20
FLAT_DEVICE, FLAT_HOST = 2**20, 64 * 2**20
LEFT = 6 * 2**30  # bytes of the card that --reserve-vram leaves to ComfyUI
WAITING = 0.5  # seconds beyond a step that Cancel may take: messages travel, the node ends
OTHERS_DB = 35.0  # between servers, which may choose other kernels
_FRAMES: dict[str, Tensor] = {}  # of the first server


class Server:
    """A running ComfyUI and what is asked of it."""

    def __init__(self, server: ComfyServer, job: Job) -> None:
        self.comfy, self.job, self._asked = Comfy(server), job, 0
        self.bundled = changed(_without_score(load_graph("audio_to_video")), **_small(job))
        self.wan = _without_score(load_graph("wan_audio_to_video"))
        if job.tiny:
            self.wan = changed(self.wan, A2VAudioMapper={"num_frames": 5}, KSampler={"steps": 1})
        files = full_size(job)
        for kind, path in (
            ("audio_encoders", files.beats),
            ("a2v_mappers", files.mapper),
            ("a2v_t2v", files.t2v),
        ):
            (server.models / kind).mkdir(parents=True, exist_ok=True)
            (server.models / kind / path.name).symlink_to(path, target_is_directory=path.is_dir())
        size = 16 if job.tiny else 384
        self.full = changed(
            self.bundled,
            A2VLoadBEATs={"beats_name": files.beats.name},
            A2VLoadAudioMapper={"mapper_name": files.mapper.name},
            A2VLoadT2VModel={"model_name": files.t2v.name},
            A2VT2VSampler={"steps": 2 if job.tiny else 4, "width": size, "height": size},
            A2VAudioMapper={"num_frames": 3 if job.tiny else 24},
        )

    def memory(self) -> dict[str, int]:
        """What the process holds now, and held at most since it was last asked."""
        self._asked += 1
        graph = {"memory": {"class_type": "BenchMemory", "inputs": {"number": self._asked}}}
        (text,) = texts_of(self.comfy.good(graph).outputs)["memory"]
        found: dict[str, int] = json.loads(text)
        return found

    def clip(self, graph: Graph) -> tuple[Tensor, dict[str, Any]]:
        """The frames of a clip [F, H, W, 3], seconds of the prompt, and the most memory meanwhile."""
        from a2v_core.media import read_video

        self.memory()
        began = time.monotonic()
        run = self.comfy.good(graph)
        seconds = time.monotonic() - began
        return read_video(self.comfy.file(run, node_of(graph, "SaveVideo"))).frames, {
            "prompt_seconds": seconds,
            **self.memory(),
        }


def made_by(job: Job, note: Note, own: Sequence[str]) -> None:
    """The three clips on a server with some flags, and how they compare with those of the first server."""
    if not job.on_gpu:
        note(left_out="ComfyUI does not take it together with --cpu")
        return
    with _server(job, own) as server:
        _clips(server, note)


def first(job: Job, note: Note) -> None:
    """As ComfyUI starts by itself: the clips, then Cancel, then many prompts."""
    with _server(job, ()) as server:
        _clips(server, note)
        _cancel(server, note)
        _prompts(server, note)


def reserved(job: Job, note: Note) -> None:
    """A card of which most is to be left alone: what is allocated stays within what remains."""
    if not job.on_gpu:
        note(left_out="there is no memory of a card to be left alone")
        return
    total = torch.cuda.get_device_properties(job.device).total_memory
    limit = min(LEFT, total // 2)
    with _server(job, ("--reserve-vram", f"{(total - limit) / 2**30:.2f}")) as server:
        _, numbers = server.clip(server.full)
        note(limit=limit, **numbers)
        if numbers["reserved_peak"] > limit:
            raise Wrong(f"{numbers['reserved_peak']} bytes were reserved of the {limit} that were left")


def _clips(server: Server, note: Note) -> None:
    low = []
    for name in ("bundled", "wan", "full"):
        frames, numbers = server.clip(getattr(server, name))
        row = {"frames": len(frames), **numbers}
        if name in _FRAMES:
            row["db_to_first_server"] = decibels(frames, _FRAMES[name])
            low += [name] if row["db_to_first_server"] < OTHERS_DB else []
        _FRAMES.setdefault(name, frames)
        note(**{name: row})
    if low:
        raise Wrong(f"other videos than those of the first server: {', '.join(low)}")


def _cancel(server: Server, note: Note) -> None:
    """A long run of the large model: seconds from Cancel to the end of the prompt, beside those of a step."""
    long = changed(server.full, A2VT2VSampler={"steps": 400, "seed": 1})
    sampler = node_of(long, "A2VT2VSampler")
    few, many = (
        server.clip(changed(server.full, A2VT2VSampler={"steps": steps, "seed": 2}))[1]["prompt_seconds"]
        for steps in (2, 6)
    )
    step = max(0.0, (many - few) / 4)
    run, seconds = server.comfy.cancel_at(long, sampler, 2)
    note(cancel_seconds=seconds, step_seconds=step)
    note.goal("cancel within a step", seconds, at_most=step + WAITING)
    if run.interrupted != "A2VT2VSampler" or run.error is not None:
        raise Wrong("Cancel did not interrupt the sampler")
    server.comfy.good(server.bundled)


def _prompts(server: Server, note: Note) -> None:
    """Memory after many prompts beside that after the first ones."""
    count = 6 if server.job.tiny else PROMPTS
    rows = []
    for first_seed, prompts in ((1000, WARM_UP), (2000, count)):
        began = time.monotonic()
        seeds = range(first_seed, first_seed + prompts)
        graphs = [changed(server.bundled, A2VT2VSampler={"seed": seed}) for seed in seeds]
        for prompt in [server.comfy.submit(graph) for graph in graphs]:
            if server.comfy.result(prompt, server.bundled).error is not None:
                raise Wrong("a prompt failed")
        rows.append(server.memory() | {"seconds": (time.monotonic() - began) / prompts})
    before, after = rows
    grown = {"host_growth": after["resident"] - before["resident"], "prompts": count}
    if server.job.on_gpu:
        grown["device_growth"] = after["allocated"] - before["allocated"]
    note(**grown, seconds_a_prompt=after["seconds"])
    if grown["host_growth"] > FLAT_HOST or grown.get("device_growth", 0) > FLAT_DEVICE:
        raise Wrong(f"memory grows with the prompts: {grown}")


@contextmanager
def _server(job: Job, own: Sequence[str]) -> Iterator[Server]:
    """A ComfyUI with these flags; after an error the end of its log is in that of the part."""
    with serving(find_comfyui(), job.device.type, [*own, *flags(job.folder)], MOUNTED) as server:
        try:
            yield Server(server, job)
        except BaseException:
            print(server.log_tail(), flush=True)
            raise


def _without_score(graph: Graph) -> Graph:
    """AV-Align needs packages of its own, and is not what is measured."""
    return {key: node for key, node in graph.items() if node["class_type"] != "A2VAVAlignScore"}


def _small(job: Job) -> dict[str, dict[str, Any]]:
    """The bundled clip, in a test of a few frames."""
    if not job.tiny:
        return {}
    return {"A2VAudioMapper": {"num_frames": 3}, "A2VT2VSampler": {"steps": 1}}


STEPS = (
    Step("as it starts by itself", first),
    Step("--lowvram", partial(made_by, own=("--lowvram",)), 12.0),
    Step("--reserve-vram", reserved, 12.0),
    Step("--gpu-only", partial(made_by, own=("--gpu-only",)), 12.0),
)
