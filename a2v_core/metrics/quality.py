"""python -m a2v_core.metrics quality PATH... --weights FOLDER: FVD, Inception Score, CLIPSIM."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import torch

from ..errors import A2VError, MediaError
from ..media import read_video
from ..texts import read_text
from .learned import (
    C3D_FILE,
    MissingWeights,
    frechet_of_features,
    inception_score,
    load_c3d,
    load_clip,
    load_i3d,
)
from .sets import SOME_BAD, find_videos


def run_quality(options: argparse.Namespace) -> int:
    """Compute the metrics whose weights are in the folder; report missing weights and unreadable videos.

    Exit code 0; 1 when nothing could be computed; 3 when some videos could not be read.
    """
    generated = _Videos(find_videos(options.paths), options.max_frames)
    real = None if options.real is None else _Videos(find_videos([options.real]), options.max_frames)
    found: dict[str, float | None] = {"fvd": None, "inception_score": None, "clipsim": None}
    notes: list[str] = []
    for measure in (_video_nets, _clipsim):
        try:
            found |= measure(generated, real, options)
        except MissingWeights as error:
            notes.append(str(error))
    bad = generated.bad | (real.bad if real is not None else {})
    if options.json:
        listed = [{"file": str(file), "reason": reason} for file, reason in bad.items()]
        count = len(generated.paths) - len(generated.bad)
        print(json.dumps(found | {"videos": count, "notes": notes, "bad": listed}, indent=2))
    else:
        for name, value in found.items():
            print(f"{name:16s} {'-' if value is None else format(value, '.4f')}")
        print("\n".join([*notes, *bad.values()]))
    if all(value is None for value in found.values()):
        return 1
    return SOME_BAD if bad else 0


class _Videos:
    """Videos, read anew in every iteration; those that cannot be read are skipped.

    bad  file -> reason
    """

    def __init__(self, paths: list[Path], max_frames: int) -> None:
        self.paths, self.max_frames = paths, max_frames
        self.bad: dict[Path, str] = {}

    def __iter__(self) -> Iterator[tuple[Path, torch.Tensor]]:
        for path in self.paths:
            try:
                frames = read_video(path, self.max_frames).frames
            except (A2VError, OSError) as error:
                self.bad[path] = str(error)
                continue
            yield path, frames
        if len(self.bad) == len(self.paths):
            raise MediaError(
                f"none of {len(self.paths)} videos could be read: {next(iter(self.bad.values()))}"
            )

    def frames(self) -> Iterator[torch.Tensor]:
        return (frames for _, frames in self)


def _video_nets(
    generated: _Videos, real: _Videos | None, options: argparse.Namespace
) -> dict[str, float | None]:
    net = load_i3d(options.weights)
    features = net.features(generated.frames())
    distance = None  # not comparable between papers: frames, size, number of videos and the real set move it
    if real is not None:
        distance = frechet_of_features(net.features(real.frames()), features)
    classifier = load_c3d(options.weights) if (options.weights / C3D_FILE).exists() else net
    class_features = features if classifier is net else classifier.features(generated.frames())
    return {"fvd": distance, "inception_score": inception_score(classifier.probabilities(class_features))[0]}


def _clipsim(
    generated: _Videos, real: _Videos | None, options: argparse.Namespace
) -> dict[str, float | None]:
    if options.text is None and options.labels is None:
        return {}
    clip = load_clip(options.weights)
    labels = _labels(options.labels) if options.labels else {}
    scores = []
    for video, frames in generated:
        text = labels.get(video.name, labels.get(video.stem, options.text))
        if text is None:
            raise A2VError(f"{video}: {options.labels} has no line for it, and there is no --text.")
        scores.append(clip.score(frames, text))
    return {"clipsim": sum(scores) / len(scores)}


def _labels(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise A2VError(f"{path}: there is no such file; expected a CSV of file name, text.")
    rows = csv.reader(io.StringIO(read_text(path), newline=""))
    return {row[0].strip(): row[1].strip() for row in rows if len(row) >= 2}
