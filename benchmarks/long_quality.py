"""Whether sound still moves the picture of a long video: the part `quality` of `benchmarks.long_video`."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from a2v_core.audio import Waveform
from a2v_core.backbones import make_windows
from a2v_core.demo import demo_path
from a2v_core.metrics import AVAlignResult, av_align
from a2v_core.pipeline import VideoPipeline, VideoRequest, hear
from a2v_core.sampling import SampleSettings, decode_video
from a2v_core.sampling.long import LongSettings
from a2v_core.tokens import in_prompt
from training.demo_world.recognise import count_matched, recognise
from training.demo_world.sounds import SAMPLE_RATE, render_sound
from training.demo_world.world import FPS, NUM_FRAMES, Scene, random_scene, render

from .clip import ModelFiles, Models, load_models

LENGTHS = (24, 48, 96, 240)
SCENE_FRAMES = 480  # a multiple of every length
WINDOWED = LongSettings(stride=NUM_FRAMES // 3)  # the default stride
OTHERS: dict[str, LongSettings | None] = {"naive": None, "whole-model windows": LongSettings(mode="model")}
SILENCE = "silence"
GLUED = "clips of 24, glued"
STILL = 0.1  # pixels a frame of the true video up to which a frame says something about seams


def demo_models() -> Models:
    """The bundled models."""
    return load_models(ModelFiles(demo_path("beats"), demo_path("mapper"), demo_path("t2v")))[0]


def sample_video(
    models: Models, sound: np.ndarray, frames: int, long: LongSettings | None, steps: int, seed: int = 0
) -> Tensor:
    """Latents [1, c, f, h, w] that follow `sound` [N] at the demo world's rate, as the nodes make them."""
    heard = Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE)
    tokens = hear(models.beats, models.mapper, heard, frames, FPS, chunk_seconds=10, overlap_seconds=2)
    pipeline = VideoPipeline(models.backbone)
    size = models.native_size
    settings = SampleSettings(steps, 3.0, seed=seed, width=size, height=size)
    request = VideoRequest(f"a video of {in_prompt(tokens.words)}", tokens, settings=settings, long=long)
    return pipeline.sample(request, pipeline.encode(request))


def scene_of(number: int, frames: int) -> tuple[Scene, np.ndarray]:
    """Scene and sound `number`, whose hits keep away from the ends of all pieces as they do in training."""
    rng = np.random.default_rng([97, number])
    scene = random_scene(rng, num_frames=frames)
    while not scene.hits:
        scene = random_scene(rng, num_frames=frames)
    kept = tuple(hit for hit in scene.hits if 2 <= round(hit.time * FPS) % NUM_FRAMES <= NUM_FRAMES - 3)
    scene = replace(scene, hits=kept)
    return scene, render_sound(scene, rng)


class Score:
    """AV-Align of several videos, their matches and peaks counted together."""

    def __init__(self) -> None:
        self.together = self.peaks = 0

    def add(self, result: AVAlignResult) -> None:
        """Counts a video."""
        self.together += len(result.matches)
        self.peaks += len(result.audio_peaks) + len(result.video_peaks)

    @property
    def value(self) -> float | None:
        """Matches over all peaks, matches counted once; None without peaks."""
        return self.together / (self.peaks - self.together) if self.peaks else None


class Tally:
    """Counts over the videos of one method and length."""

    def __init__(self) -> None:
        self.hits = self.found = self.true = self.objects = self.clips = 0
        self.whole, self.pieces, self.truth = Score(), Score(), Score()
        self.at_borders: list[float] = []
        self.elsewhere: list[float] = []

    def add(self, frames: Tensor, scene: Scene, sound: np.ndarray, borders: set[int]) -> None:
        """Counts a video [F, H, W, 3]; `borders` are frames with which a window or clip begins."""
        events = [round(hit.time * FPS) for hit in scene.hits]
        seen = recognise(frames.numpy())
        self.clips += 1
        self.objects += (seen.colour, seen.shape) == (scene.colour, scene.shape)
        self.hits += count_matched(seen.leaps, events)
        self.found += len(seen.leaps)
        self.true += len(events)
        heard = Waveform(torch.from_numpy(sound)[None], SAMPLE_RATE)
        result = av_align(frames, FPS, heard)
        truth = av_align(torch.from_numpy(render(scene)), FPS, heard)
        self.whole.add(result)
        self.truth.add(truth)
        for at, (_, part) in enumerate(cut(scene, sound, NUM_FRAMES)):
            piece = frames[at * NUM_FRAMES :][:NUM_FRAMES]
            self.pieces.add(av_align(piece, FPS, Waveform(torch.from_numpy(part)[None], SAMPLE_RATE)))
        # Flow `number` is that from frame number - 1 to frame number; the first repeats the second.
        for number, (flow, true) in enumerate(zip(result.flow, truth.flow, strict=True)):
            if number and true <= STILL:
                (self.at_borders if number in borders else self.elsewhere).append(float(flow))

    def summary(self) -> dict[str, float | None]:
        """The numbers of the module docstring."""
        return {
            "clips": self.clips,
            "events": self.true,
            "event_recall": self.hits / max(1, self.true),
            "event_precision": self.hits / max(1, self.found),
            "av_align": self.pieces.value,
            "whole_av_align": self.whole.value,
            "ground_truth_av_align": self.truth.value,
            "object_accuracy": self.objects / max(1, self.clips),
            "seam_flow_ratio": seam_ratio([self]),
        }


def seam_ratio(tallies: Sequence[Tally]) -> float | None:
    """Mean flow at borders of windows over that elsewhere, of all videos together."""
    at_borders = [flow for tally in tallies for flow in tally.at_borders]
    elsewhere = [flow for tally in tallies for flow in tally.elsewhere]
    if not at_borders or not elsewhere:
        return None
    return statistics.fmean(at_borders) / max(1e-9, statistics.fmean(elsewhere))


def measure_quality(
    models: Models,
    scenes: int,
    steps: int,
    scene_frames: int = SCENE_FRAMES,
    lengths: Sequence[int] = LENGTHS,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Sound against picture at every length, the first of one window, and other ways to the longest.

    `tell` hears of every step of the work.
    """
    short, longest = lengths[0], lengths[-1]
    ways: list[tuple[str, int, LongSettings | None]] = [
        (f"{length} frames", length, WINDOWED) for length in lengths
    ]
    ways += [(name, longest, long) for name, long in OTHERS.items()]
    tallies = {name: Tally() for name in [*(name for name, _, _ in ways), GLUED, SILENCE]}
    for number in range(scenes):
        scene, sound = scene_of(number, scene_frames)
        clips: list[Tensor] = []
        for name, length, long in ways:
            for piece, part in cut(scene, sound, length):
                latents = sample_video(models, part, piece.num_frames, long, steps, seed=number)
                frames = decode_video(models.backbone, latents, NUM_FRAMES)
                tallies[name].add(frames, piece, part, window_borders(len(frames)))
                clips += [frames] if length == short else []
            tell(f"scene {number + 1} of {scenes}, {name}: {json.dumps(tallies[name].summary())}")
        still, silence = silent(scene, sound, longest)
        latents = sample_video(models, silence, longest, WINDOWED, steps, seed=number)
        frames = decode_video(models.backbone, latents, NUM_FRAMES)
        tallies[SILENCE].add(frames, still, silence, window_borders(longest))
        glued = torch.cat(clips)
        for at, (piece, part) in enumerate(cut(scene, sound, longest)):
            frames = glued[at * longest :][: piece.num_frames]
            tallies[GLUED].add(frames, piece, part, clip_borders(len(frames)))
    found = {name: tally.summary() for name, tally in tallies.items()}
    base, long_one = found[f"{short} frames"], found[f"{longest} frames"]
    return {
        "scenes": scenes,
        "steps": steps,
        "by_length": {str(length): found[f"{length} frames"] for length in lengths},
        f"at_{longest}": {name: found[name] for name in (*OTHERS, GLUED)},
        f"recall_{longest}_over_{short}": (long_one["event_recall"] or 0) / (base["event_recall"] or 1),
        f"av_align_{longest}_over_{short}": (long_one["av_align"] or 0) / (base["av_align"] or 1),
        "seam_flow_ratio": seam_ratio([tallies[SILENCE], *(tallies[f"{one} frames"] for one in lengths[1:])]),
    }


def cut(scene: Scene, sound: np.ndarray, length: int) -> list[tuple[Scene, np.ndarray]]:
    """The scene and its sound in pieces of `length` frames."""
    pieces = []
    for start in range(0, scene.num_frames, length):
        hits = [replace(hit, time=hit.time - start / FPS) for hit in scene.hits]
        inside = tuple(hit for hit in hits if 0 <= round(hit.time * FPS) < length)
        samples = slice(round(start / FPS * SAMPLE_RATE), round((start + length) / FPS * SAMPLE_RATE))
        pieces.append((replace(scene, duration=length / FPS, hits=inside), sound[samples].astype(np.float32)))
    return pieces


def silent(scene: Scene, sound: np.ndarray, length: int) -> tuple[Scene, np.ndarray]:
    """A scene of `length` frames in which nothing is heard and nothing moves."""
    still = replace(scene, duration=length / FPS, hits=())
    return still, np.zeros_like(sound[: round(length / FPS * SAMPLE_RATE)])


def window_borders(frames: int) -> set[int]:
    """Frames with which a window begins, or that follow one's end; none in a video of one window."""
    if frames <= NUM_FRAMES:
        return set()
    index = make_windows(frames, NUM_FRAMES, WINDOWED.stride).index
    return {int(window[0]) for window in index[1:]} | {int(window[-1]) + 1 for window in index[:-1]}


def clip_borders(frames: int) -> set[int]:
    """Frames with which another clip begins."""
    return set(range(NUM_FRAMES, frames, NUM_FRAMES))
