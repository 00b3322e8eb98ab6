"""The cache: right numbers, resumable, complete or refused, and a report of what is left out."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.audio import encode_audio, load_beats
from a2v_core.backbones import load_t2v
from tests.training.media import write_clip
from training.cache import open_cache, read_sample
from training.cache.build import precompute
from training.config import Config, make_config
from training.data import cut, list_items
from training.errors import ConfigError, DataError
from training.precompute import main


def files(config: Config) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(config.cache_dir.iterdir())}


def test_samples_are_what_the_models_say(values: dict[str, Any]) -> None:
    values["mapper"] |= {"layout": "reference"}
    config = make_config(values)
    built = precompute(config, progress=False)
    assert (built.clips, built.new, built.unusable) == (10, 10, [])  # 4 files x 2 clips, 2 held out
    contents = open_cache(config)
    assert contents is not None
    samples = {(entry.id, entry.number): entry for entry in contents.entries}
    assert len({entry.path for entry in contents.entries}) == 4
    item = next(item for item in list_items(config.data)[0] if item.id == "train/b.mp4")
    clip = cut(item, 1, config.data, config.seed)
    sample = read_sample(samples["train/b.mp4", 1])
    assert sample.caption == "a bell on a table"
    features = encode_audio(load_beats(config.models.beats), clip.sound.samples[None], clip.sound.sample_rate)
    torch.testing.assert_close(sample.layers, features.layers[0])
    assert torch.equal(sample.times, features.times)
    latents = load_t2v(config.models.t2v, parts=["vae"]).encode(clip.frames.float() / 255, 8)
    torch.testing.assert_close(sample.latents, latents[0])
    assert sample.sound.numel() == 0
    assert len(read_sample(samples["test/e.mp4", 0]).sound) == 8000
    starts = [cut(item, number, config.data, config.seed).start for number in (0, 1)]
    assert starts[0] != starts[1]


def test_an_interrupted_run_goes_on(values: dict[str, Any]) -> None:
    whole = make_config(values)
    precompute(whole, progress=False)
    values["output_dir"] += "-2"
    config = make_config(values)
    precompute(config, progress=False)
    shards = sorted(config.cache_dir.glob("*.safetensors"))
    shards[1].unlink()
    kept = {path: path.stat().st_mtime_ns for path in shards if path.exists()}
    built = precompute(config, progress=False)
    assert (built.clips, built.new) == (10, 3)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    again = precompute(config, progress=False)
    assert (again.clips, again.new) == (10, 0)
    one, two = open_cache(whole), open_cache(config)
    assert one is not None
    assert two is not None
    for a, b in zip(one.entries, two.entries, strict=True):
        assert (a.id, a.number) == (b.id, b.number)
        assert torch.equal(read_sample(a).latents, read_sample(b).latents)
        assert torch.equal(read_sample(a).layers, read_sample(b).layers)


def test_half_precision_and_averaged_frequency(values: dict[str, Any]) -> None:
    exact = make_config(values)
    precompute(exact, progress=False)
    values["output_dir"] += "-2"
    values["cache"] |= {"precision": "fp16", "layers": [2]}
    values["mapper"] |= {"layers": [2]}
    config = make_config(values)
    precompute(config, progress=False)
    one, two = open_cache(exact), open_cache(config)
    assert one is not None
    assert two is not None
    a, b = read_sample(one.entries[0]), read_sample(two.entries[0])
    assert a.layers.shape == (3, 3, 1, 32)
    assert b.layers.shape == (1, 3, 1, 32)
    torch.testing.assert_close(a.layers[2:], b.layers, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(a.latents, b.latents, rtol=1e-3, atol=1e-3)


def test_a_cache_is_refused_when_incomplete_or_of_another_config(values: dict[str, Any]) -> None:
    config = make_config(values)
    assert open_cache(config) is None
    with pytest.raises(DataError, match=r"run python -m training\.precompute first"):
        open_cache(make_config(values | {"cache": {"use": "always"}}))
    precompute(config, progress=False)
    (config.cache_dir / "cache.json").write_text('{"complete": false, "clips": 9, "planned": 10}')
    with pytest.raises(DataError, match="not complete, 10 of 10 clips"):
        open_cache(config)
    precompute(config, progress=False)
    values["data"] |= {"fps": 10.0}
    other = make_config(values)
    for refuse in (open_cache, precompute):
        with pytest.raises(DataError, match=r"made with data\.fps 8\.0 \(now 10\.0\)"):
            refuse(other)
    shard = next(config.cache_dir.glob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:50])
    with pytest.raises(DataError, match="damaged or no cache file"):
        open_cache(config)


def test_unusable_clips_are_reported_and_counted(
    values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "mixed"
    good = write_clip(root / "good.mp4")
    write_clip(root / "mute.mp4", sound=False)
    write_clip(root / "short.mp4", seconds=0.25)
    (root / "cut.mp4").write_bytes(good.read_bytes()[:1200])
    values["data"] |= {"root": str(root), "clips_per_video": 1, "test_share": 0.0}
    path = tmp_path / "config.yaml"
    path.write_text(str(values))  # a Python dict of plain values is YAML
    assert main([str(path)]) == 3
    said = capsys.readouterr().out
    assert "1 clips, 1 of them new" in said
    for part in ("1 no sound", "1 too short", "1 broken"):
        assert part in said
    with (tmp_path / "run" / "cache" / "unusable.csv").open() as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert {name: row["kind"] for name, row in rows.items()} == {
        "mute.mp4": "no sound",
        "short.mp4": "too short",
        "cut.mp4": "broken",
    }
    assert "0.25 s, a clip needs 0.50 s" in rows["short.mp4"]["reason"]
    # The second run does not try them again, and says the same.
    assert main([str(path)]) == 3
    assert "1 clips, 0 of them new" in capsys.readouterr().out

    good.unlink()
    assert main([str(path), "--set", f"output_dir={tmp_path / 'none'}"]) == 1
    assert "no clip can be trained on" in capsys.readouterr().err


def test_clips_whose_sound_and_picture_disagree(values: dict[str, Any]) -> None:
    values["data"] |= {"min_av_align": 0.5}
    config = make_config(values)
    with pytest.raises(DataError, match="sound and picture disagree"):
        precompute(config, progress=False)
    assert (config.cache_dir / "unusable.csv").read_text().count("below data.min_av_align 0.5") == 6


def test_endless_clips_have_no_cache(values: dict[str, Any]) -> None:
    values["data"] |= {"clips_per_video": 0}
    with pytest.raises(ConfigError, match="clips_per_video 0 has no end"):
        precompute(make_config(values))
