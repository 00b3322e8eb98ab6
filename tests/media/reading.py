"""A file through all that reads media: Load Audio, the metrics and the trainer."""

from __future__ import annotations

from pathlib import Path

import torch

from a2v_core.audio import BEATs, save_beats
from a2v_core.errors import A2VError
from a2v_core.media import load_audio
from a2v_core.metrics.alignment.clip import Settings, score_clip
from tests.tiny_t2v import make_tiny_t2v
from training.cache import Encoder
from training.config import make_config
from training.data import Item, cut


class Reader:
    """Reads files with tiny models, made in `folder`."""

    def __init__(self, folder: Path, beats: BEATs) -> None:
        save_beats(folder / "beats.safetensors", beats)
        make_tiny_t2v(folder / "t2v")
        data = {
            "layout": "folder",
            "root": str(folder),
            "fps": 8.0,
            "num_frames": 4,
            "width": 16,
            "height": 16,
        }
        models = {"beats": str(folder / "beats.safetensors"), "t2v": str(folder / "t2v")}
        self.config = make_config({"output_dir": str(folder / "run"), "models": models, "data": data})
        self.encoder = Encoder(self.config, torch.device("cpu"))

    def __call__(self, path: Path) -> str:
        """`read`, or `refused: ` and every reason. Any error but A2VError is raised."""
        reasons = []
        for job in (self._load, self._score, self._precompute):
            try:
                job(path)
            except A2VError as error:
                reasons.append(str(error))
        return f"refused: {'; '.join(reasons)}" if reasons else "read"

    def _load(self, path: Path) -> None:
        load_audio(path)
        load_audio(path, 0.2, 0.3)

    def _score(self, path: Path) -> None:
        score_clip(path, None, Settings(fast=True))

    def _precompute(self, path: Path) -> None:
        item = Item(id=path.name, video=path, split="train")
        self.encoder.encode(item, 0, cut(item, 0, self.config.data, self.config.seed))
