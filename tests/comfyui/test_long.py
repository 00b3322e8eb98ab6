"""Videos longer than the model's own clips, on a real ComfyUI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.comfyui.driver import ALIKE, Comfy, Graph, changed, node_of

FRAMES = 30


def long_graph(graph: Graph, **sampler: object) -> Graph:
    return changed(
        graph,
        A2VAudioMapper={"num_frames": FRAMES, "fps": 15.0},
        A2VT2VSampler={"width": 32, "height": 32, "steps": 2, **sampler},
    )


def steps_on_disk(comfy: Comfy) -> list[Path]:
    return list((comfy.server.output.parent / "user" / "a2v_progress").glob("sampling_*/*.safetensors"))


def test_every_mode_makes_all_frames(comfy: Comfy, graph: Graph) -> None:
    videos = {}
    for mode in ("windowed attention", "whole-model windows", "off"):
        made = long_graph(graph, long_video=mode, resume=True)
        videos[mode] = comfy.frames(made)
        assert tuple(videos[mode].shape) == (FRAMES, 32, 32, 3)
        assert steps_on_disk(comfy) == []
    assert (videos["windowed attention"] - videos["off"]).abs().mean() > 1e-3


def test_a_cancelled_video_goes_on(comfy: Comfy, graph: Graph) -> None:
    whole = comfy.frames(long_graph(graph, steps=6, seed=11))
    kept = long_graph(graph, steps=6, seed=11, resume=True)
    run, _ = comfy.cancel_at(kept, node_of(graph, "A2VT2VSampler"), 3)
    assert run.interrupted == "A2VT2VSampler"
    done = {path: path.stat().st_mtime_ns for path in steps_on_disk(comfy)}
    assert 3 <= len(done) < 6
    resumed = comfy.frames(kept)
    assert whole.shape == resumed.shape
    assert (whole - resumed).abs().mean() < ALIKE
    assert steps_on_disk(comfy) == []


def test_a_short_video_is_the_same_in_every_mode(comfy: Comfy, graph: Graph) -> None:
    plain, windowed = (
        comfy.frames(changed(graph, A2VT2VSampler={"long_video": mode, "seed": 4}))
        for mode in ("off", "windowed attention")
    )
    assert plain.shape == windowed.shape
    assert (plain - windowed).abs().mean() < ALIKE


def test_a_stride_is_no_matter_for_a_short_video(comfy: Comfy, graph: Graph) -> None:
    far, plain = (
        comfy.frames(changed(graph, A2VT2VSampler={"window_stride": n, "seed": 4})) for n in (40, 0)
    )
    assert (far - plain).abs().mean() < ALIKE


@pytest.mark.parametrize("stride", [25, 4096])
def test_a_stride_that_leaves_frames_out_is_named(comfy: Comfy, graph: Graph, stride: int) -> None:
    run = comfy.run(long_graph(graph, window_stride=stride))
    assert f"stride is {stride} frames and window 24" in run.message
