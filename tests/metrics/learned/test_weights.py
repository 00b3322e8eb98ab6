"""FVD, Inception Score and CLIPSIM with tiny weights in the official layouts, and without any."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from a2v_core.errors import CheckpointError
from a2v_core.media import write_video
from a2v_core.metrics.__main__ import main
from a2v_core.metrics.learned import (
    MissingWeights,
    frechet_of_features,
    inception_score,
    load_c3d,
    load_clip,
    load_i3d,
)
from tests.metrics.learned.tiny import write_clip, write_nets


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_nets(folder)
    write_clip(folder)
    return folder


def videos(seed: int, count: int = 4, brightness: float = 0.5) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        (brightness + 0.3 * (torch.rand(12, 40, 56, 3, generator=generator) - 0.5) + 0.05 * i).clamp(0, 1)
        for i in range(count)
    ]


def test_fvd_is_the_frechet_distance_of_the_logits(weights: Path) -> None:
    net = load_i3d(weights)
    one, other = net.features(videos(0)), net.features(videos(1, brightness=0.3))
    assert one.shape == (4, 400)
    assert frechet_of_features(one, other) > 1e-6
    assert frechet_of_features(one, one) == pytest.approx(0, abs=1e-6)
    by_hand = net.module(torch.zeros(1, 3, 12, 224, 224), return_features=True)
    grey = net.features([torch.full((12, 40, 56, 3), 0.5)])
    assert grey[0] == pytest.approx(by_hand[0].detach().double().numpy(), abs=1e-5)


def test_few_frames_and_any_shape_are_made_to_fit(weights: Path) -> None:
    net = load_i3d(weights)
    assert net.features([torch.rand(3, 30, 300, 3), torch.rand(40, 500, 20, 3)]).shape == (2, 400)


def test_inception_score_from_either_network(weights: Path) -> None:
    for net in (load_i3d(weights), load_c3d(weights)):
        rows = net.probabilities(net.features(videos(0)))
        assert rows.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)
        assert 1 <= inception_score(rows)[0] < 2


def test_clipsim_is_the_mean_cosine_of_transformers_own_embeddings(weights: Path) -> None:
    clip = load_clip(weights)
    frames = torch.rand(3, 32, 32, 3, generator=torch.Generator().manual_seed(5))
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711])
    pixels = ((frames - mean) / deviation).permute(0, 3, 1, 2)
    tokens = clip.tokenizer(["a dog"], return_tensors="pt")
    with torch.no_grad():
        out = clip.model(pixel_values=pixels, **tokens)
    cosines = (out.image_embeds @ out.text_embeds.T)[:, 0]
    assert clip.score(frames, "a dog") == pytest.approx(float(cosines.mean()), abs=1e-6)
    assert -1 <= clip.score(torch.rand(2, 50, 90, 3), "rain") <= 1


def test_missing_weights_are_named_with_what_to_do(tmp_path: Path) -> None:
    for load, name in ((load_i3d, "i3d_torchscript"), (load_c3d, "c3d_ucf101"), (load_clip, "clip-vit-base")):
        with pytest.raises(MissingWeights, match=rf"{name}.*is not there: .*nothing is downloaded"):
            load(tmp_path)


def test_wrong_files_are_refused(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "i3d_torchscript.pt").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match="is not a TorchScript file"):
        load_i3d(tmp_path)
    (tmp_path / "i3d_torchscript.pt").write_bytes((weights / "c3d_ucf101.pt").read_bytes())
    with pytest.raises(CheckpointError, match="is it the right file"):
        load_i3d(tmp_path).features(videos(0))
    (tmp_path / "clip-vit-base-patch32").mkdir()
    with pytest.raises(CheckpointError, match="is not a CLIP folder"):
        load_clip(tmp_path)


def test_the_command(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, seed in (("made", 0), ("real", 1)):
        (tmp_path / folder).mkdir()
        for number, video in enumerate(videos(seed)):
            write_video(tmp_path / folder / f"{number}.mp4", video, 12)
    made, real = str(tmp_path / "made"), str(tmp_path / "real")
    labels = tmp_path / "labels.csv"
    labels.write_text("0.mp4,a dog\n1,rain\n2,a drum\n3,the sea\n")
    arguments = [
        "quality",
        made,
        "--weights",
        str(weights),
        "--real",
        real,
        "--labels",
        str(labels),
        "--json",
    ]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["videos"] == 4
    assert found["fvd"] >= 0
    assert 1 <= found["inception_score"] < 2
    assert -1 <= found["clipsim"] <= 1
    assert found["notes"] == []

    assert main(["quality", made, "--weights", str(tmp_path), "--text", "a dog"]) == 1
    out = capsys.readouterr().out
    assert "i3d_torchscript.pt is not there" in out
    assert "clip-vit-base-patch32 is not there" in out
    labels.write_text("0.mp4,a dog\n")
    assert main(arguments) == 1
    assert "has no line for it" in capsys.readouterr().err
