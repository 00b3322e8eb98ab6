"""python -m a2v_core.metrics quality PATH... --weights FOLDER: FVD, Inception Score, CLIPSIM."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import torch

from ...errors import A2VError
from ...video.mp4 import read_video
from ..clip import find_videos
from .clipsim import load_clip
from .frechet import frechet_of_features
from .inception import inception_score
from .video_nets import load_c3d, load_i3d
from .weights import C3D_FILE, MissingWeights


def run_quality(options: argparse.Namespace) -> int:
    """Compute what the weights in the folder allow; what they don't is said.

    Exit code 0, or 1 when nothing could.
    """
    videos = find_videos(options.paths)
    found: dict[str, float | None] = {"fvd": None, "inception_score": None, "clipsim": None}
    said: list[str] = []
    for measure in (_video_nets, _clipsim):
        try:
            found |= measure(videos, options)
        except MissingWeights as error:
            said.append(str(error))
    if options.json:
        print(json.dumps(found | {"videos": len(videos), "notes": said}, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:16s} {'-' if value is None else format(value, '.4f')}")
        print("\n".join(said))
    return 0 if any(value is not None for value in found.values()) else 1


def _video_nets(videos: list[Path], options: argparse.Namespace) -> dict[str, float | None]:
    net = load_i3d(options.weights)
    made = net.features(_frames(videos, options.max_frames))
    distance = None
    if options.real is not None:
        real = net.features(_frames(find_videos([options.real]), options.max_frames))
        distance = frechet_of_features(real, made)
    classifier = load_c3d(options.weights) if (options.weights / C3D_FILE).exists() else net
    seen = made if classifier is net else classifier.features(_frames(videos, options.max_frames))
    return {"fvd": distance, "inception_score": inception_score(classifier.probabilities(seen))[0]}


def _clipsim(videos: list[Path], options: argparse.Namespace) -> dict[str, float | None]:
    if options.text is None and options.labels is None:
        return {}
    clip = load_clip(options.weights)
    labels = _labels(options.labels) if options.labels else {}
    scores = []
    for video, frames in zip(videos, _frames(videos, options.max_frames), strict=True):
        text = labels.get(video.name, labels.get(video.stem, options.text))
        if text is None:
            raise A2VError(f"{video}: {options.labels} has no line for it, and there is no --text.")
        scores.append(clip.score(frames, text))
    return {"clipsim": sum(scores) / len(scores)}


def _frames(videos: list[Path], max_frames: int) -> Iterator[torch.Tensor]:
    return (read_video(video, max_frames).frames for video in videos)


def _labels(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise A2VError(f"{path}: there is no such file; expected a CSV of file name, text.")
    with path.open(newline="", encoding="utf-8") as file:
        return {row[0].strip(): row[1].strip() for row in csv.reader(file) if len(row) >= 2}
