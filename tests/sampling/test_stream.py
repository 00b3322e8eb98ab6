"""Latents to an mp4 while they are decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from a2v_core.audio import Waveform, load_audio
from a2v_core.backbones.unet3d.backbone import UNet3DBackbone
from a2v_core.backbones.unet3d.load import load_unet3d
from a2v_core.errors import CheckpointError, MediaError
from a2v_core.media import read_video, write_video
from a2v_core.sampling.stream import decode_video, on_disk, save_latents, stream_video
from tests.plain_backbone import Plain

SOUND = Waveform(torch.randn(1, 16000, generator=torch.Generator().manual_seed(3)) * 0.1, 16000)


class Watched(Plain):
    """Remembers what came out of the decoder at once."""

    def __init__(self, inner: UNet3DBackbone) -> None:
        super().__init__(inner)
        self.parts_made: list[Tensor] = []

    def decode(self, latents: Tensor, chunk: int) -> Iterator[Tensor]:
        for frames in super().decode(latents, chunk):
            self.parts_made.append(frames)
            yield frames


@pytest.fixture(scope="module")
def backbone(tiny_folder: Path) -> UNet3DBackbone:
    return load_unet3d(tiny_folder)


@pytest.fixture(scope="module")
def latents() -> Tensor:
    return torch.randn(1, 4, 11, 8, 8, generator=torch.Generator().manual_seed(4))


def test_streaming_writes_what_decoding_in_memory_writes(
    backbone: UNet3DBackbone, latents: Tensor, tmp_path: Path
) -> None:
    """The same video. Not the same bytes: libx264 does not always encode equal frames alike."""
    save_latents(tmp_path / "latents.safetensors", latents)
    in_memory = decode_video(backbone, latents, 4)
    for given in (latents, tmp_path / "latents.safetensors"):
        watched = Watched(backbone)
        stream_video(tmp_path / "streamed.mp4", watched, given, 12, SOUND, chunk=4)
        assert [len(part) for part in watched.parts_made] == [4, 4, 3]
        frames = torch.cat(watched.parts_made)
        torch.testing.assert_close(frames, in_memory, atol=1e-5, rtol=0)
        write_video(tmp_path / "whole.mp4", frames, 12, SOUND)
        streamed, whole = (read_video(tmp_path / name) for name in ("streamed.mp4", "whole.mp4"))
        assert (streamed.fps, streamed.frames.shape) == (whole.fps, whole.frames.shape)
        # Seen: 0.004 between two encodings of the same frames, which differ from one another by 0.1.
        assert (streamed.frames - whole.frames).abs().mean() < 0.01
        assert (frames[1:] - frames[:-1]).abs().mean() > 0.1
        sounds = [load_audio(tmp_path / name).samples for name in ("streamed.mp4", "whole.mp4")]
        assert torch.equal(*sounds)


def test_a_file_without_latents_is_named(backbone: UNet3DBackbone, tmp_path: Path) -> None:
    (tmp_path / "other.safetensors").write_bytes(b"not safetensors")
    for name in ("other.safetensors", "missing.safetensors"):
        with pytest.raises(CheckpointError, match=name):
            stream_video(tmp_path / "video.mp4", backbone, tmp_path / name, 12)
    assert not (tmp_path / "video.mp4").exists()


def test_frames_on_disk_are_a_tensor_like_any_other(tmp_path: Path) -> None:
    frames = on_disk(tmp_path / "frames", (5, 6, 7, 3))
    assert tuple(frames.shape) == (5, 6, 7, 3)
    assert frames.abs().max() == 0
    frames[2:4] = 0.5
    assert frames.sum() == pytest.approx(2 * 6 * 7 * 3 * 0.5)
    assert frames.clone().equal(frames)
    with pytest.raises(MediaError, match="no room"):
        on_disk(tmp_path / "missing folder" / "frames", (5, 6, 7, 3))
