"""A shard that is being filled with the clips of a unit, in their order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from a2v_core.metrics import av_align

from ..config import Config
from ..data import DISAGREE, UNREACHABLE, Clip, Item, Unusable
from .decoding import Decoded
from .encode import Encoder, Sample
from .folder import facts_of
from .shards import write_shard

DIED = "its process died"


class Shard:
    """Encoded clips, and the reasons of those that there are not."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.splits: list[str] = []
        self.unusable: list[Unusable] = []
        self.missing: list[tuple[str, int]] = []
        self.unreachable: list[tuple[str, int]] = []

    @property
    def size(self) -> int:
        """Clips so far."""
        return len(self.samples) + len(self.missing) + len(self.unreachable)

    def add(self, item: Item, number: int, encoded: Sample | Unusable) -> None:
        """The next clip."""
        if isinstance(encoded, Unusable):
            self.unusable.append(encoded)
            of_its_kind = self.unreachable if encoded.kind == UNREACHABLE else self.missing
            of_its_kind.append((item.id, number))
        else:
            self.samples.append(encoded)
            self.splits.append(item.split)

    def encode(self, encoder: Encoder, decoded: Iterable[Decoded]) -> None:
        """The next clips, as they were decoded."""
        for item, number, clip in decoded:
            self.add(
                item, number, clip if isinstance(clip, Unusable) else encoder.try_encode(item, number, clip)
            )

    def write(self, config: Config, path: Path) -> None:
        """Write it, atomically. CheckpointError when that fails."""
        write_shard(
            path,
            self.samples,
            self.splits,
            self.unusable,
            self.missing,
            self.unreachable,
            facts_of(config),
            config.cache.precision,
        )


def judge(config: Config, decoded: Decoded) -> Decoded:
    """A clip whose AV-Align is below `data.min_av_align` as `Unusable`, others as they are."""
    item, number, clip = decoded
    minimum = config.data.min_av_align
    if minimum and isinstance(clip, Clip):
        score = av_align(clip.frames.float() / 255, config.data.fps, clip.sound).score
        if score is None or score < minimum:
            reason = f"AV-Align is {score}, below data.min_av_align {minimum:g}"
            return item, number, Unusable(item.id, str(item.video), DISAGREE, reason)
    return decoded
