"""A data set in a store gives the numbers of the same files on disk, with few requests, whatever happens."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.stores.proxy import Trouble
from tests.stores.server import S3
from tests.training.media import small_training
from training.cache import Sample, facts_of, open_cache, read_sample
from training.cache.build import PrecomputeResult, precompute
from training.config import Config, load_config, make_config, to_yaml
from training.data import Unusable, cut, list_items
from training.loop.checkpoint import weight_settings

NAMES = [f"{name}.mp4" for name in ("test/e", "test/f", "train/a", "train/b", "train/c", "train/d")]


@pytest.fixture(scope="module")
def root(s3_server: S3, clips: Path) -> str:
    """The six clips and a caption, in the store."""
    return s3_server.put_folder(clips, "six")


@pytest.fixture(scope="module")
def here(models: Path, clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The cache of the clips on disk."""
    config = make_config(small_training(models, clips, tmp_path_factory.mktemp("here") / "run"))
    precompute(config, progress=False)
    return config


@pytest.fixture
def remote(values: dict[str, Any], s3: S3, root: str, tmp_path: Path) -> dict[str, Any]:
    """A config of the same training from there."""
    remote = copy.deepcopy(values)
    remote["output_dir"] += "-remote"
    remote["data"] |= {
        "root": root,
        "storage_options": s3.options,
        "local_cache": str(tmp_path / "local"),
        "fetch_tries": 3,
    }
    return remote


def samples(config: Config) -> dict[tuple[str, int], Sample]:
    contents = open_cache(config)
    assert contents is not None
    return {(entry.id, entry.number): read_sample(entry) for entry in contents.entries}


def assert_same(one: Config, other: Config) -> None:
    a, b = samples(one), samples(other)
    assert list(a) == list(b)
    for key, sample in a.items():
        assert torch.equal(sample.latents, b[key].latents)
        assert torch.equal(sample.layers, b[key].layers)
        assert torch.equal(sample.sound, b[key].sound)
        assert sample.caption == b[key].caption


def reasons(built: PrecomputeResult) -> dict[str, str]:
    return {row.id: row.kind for row in built.unusable}


def test_the_numbers_are_those_of_the_disk(
    here: Config, remote: dict[str, Any], s3: S3, tmp_path: Path
) -> None:
    there = make_config(remote)
    built = precompute(there, progress=False)
    assert (built.clips, built.unusable) == (10, [])
    assert_same(here, there)
    # One listing; one GET for each of six clips of which ten were cut, and one for the caption.
    expected = sorted([f"/clips/six/{name}" for name in NAMES] + ["/clips/six/train/b.txt"])
    assert (s3.proxy.listings(), sorted(s3.proxy.gets()), s3.proxy.others()) == (1, expected, [])
    s3.proxy.forget()
    for item in list_items(there.data)[0]:
        cut(item, 0, there.data, there.seed)
    assert (s3.proxy.listings(), s3.proxy.gets()) == (1, [])
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"s3cr3t" not in path.read_bytes(), path


def test_no_secret_is_shown_and_places_do_not_matter(remote: dict[str, Any], tmp_path: Path) -> None:
    config = make_config(remote)
    assert "s3cr3t" not in repr(config) + str(config) + to_yaml(config)
    (tmp_path / "config.yaml").write_text(to_yaml(config))
    again = load_config(tmp_path / "config.yaml")
    assert (again.data.root, again.data.storage_options) == ("s3://clips/six", {})
    assert facts_of(again) == facts_of(config)
    moved = make_config(
        remote | {"data": remote["data"] | {"root": "x", "local_cache": None, "fetch_tries": 9}}
    )
    assert weight_settings(moved, 2, "mapper") == weight_settings(config, 2, "mapper")


def test_bad_objects_are_reported_and_no_more(remote: dict[str, Any], s3: S3) -> None:
    bad = [Trouble("change", "a.mp4"), Trouble("hide", "c.mp4")]
    s3.proxy.troubles += [*bad, Trouble("refuse", "d.mp4"), Trouble("wait", "e.mp4")]
    config = make_config(remote)
    built = precompute(config, progress=False)
    assert reasons(built) == {
        "train/a.mp4": "damaged",
        "train/c.mp4": "missing file",
        "train/d.mp4": "unreachable",
    }
    assert {row.path for row in built.unusable} == {f"s3://clips/six/train/{n}.mp4" for n in "acd"}
    assert built.clips == 4
    report = built.report.read_text()
    assert "wrong checksum" in report
    assert "s3cr3t" not in report
    s3.proxy.forget()
    s3.proxy.troubles += bad
    again = precompute(config, progress=False)
    assert (again.clips, again.new) == (6, 2)  # what had not answered is tried again
    assert reasons(again) == {"train/a.mp4": "damaged", "train/c.mp4": "missing file"}


def test_a_broken_video_is_called_by_its_address(remote: dict[str, Any], s3: S3) -> None:
    s3.put("broken/train/x.mp4", b"no video")
    s3.put("broken/train/x.txt", b"\xff\xfe\xff")
    s3.put("broken/train/y.mp4", b"no video")
    remote["data"]["root"] = "s3://clips/broken"
    data = make_config(remote).data
    items, (unread,) = list_items(data)
    assert unread.kind == "unreadable caption"
    assert unread.reason.startswith("s3://clips/broken/train/x.txt: is not text")
    with pytest.raises(
        ValueError, match=r"^s3://clips/broken/train/y\.mp4: cannot be read as sound or video"
    ):
        cut(items[0], 0, data, 0)


def test_lists_may_lie_there_too(remote: dict[str, Any], s3: S3) -> None:
    s3.put("lists/vgg.csv", b"a,1,rain,train\nb,2,wind,test\nd,4,hail,train\nz,3,fog,train\n")
    s3.put("lists/bad.txt", b"d_4\n")
    remote["data"] |= {
        "layout": "vggsound",
        "csv": "s3://clips/lists/vgg.csv",
        "exclude_ids": "s3://clips/lists/bad.txt",
        "captions": "labels",
    }
    items, dropped = list_items(make_config(remote).data)
    assert [(item.id, item.split, item.caption) for item in items] == [
        ("a_1", "train", "rain"),
        ("b_2", "test", "wind"),
    ]
    assert {row.id: row.kind for row in dropped} == {"z_3": "missing file", "d_4": "excluded"}
    assert isinstance(dropped[0], Unusable)
    remote["data"]["csv"] = "s3://clips/lists/none.csv"
    with pytest.raises(ValueError, match=r"s3://clips/lists/none\.csv: no such file in the store"):
        list_items(make_config(remote).data)


def test_workers_share_the_cache(here: Config, remote: dict[str, Any], s3: S3) -> None:
    """Two processes decode; the cache holds less than all the files."""
    remote["run"]["workers"] = 2
    files = make_config(remote).data.store.files(remote["data"]["root"])
    sizes = [file.size for file in files.values()]
    remote["data"]["local_cache_gb"] = 0.7 * sum(sizes) / 1e9
    config = make_config(remote)
    assert not precompute(config, progress=False).unusable
    assert_same(here, config)
    assert config.data.local_cache is not None
    kept = sum(path.stat().st_size for path in (config.data.local_cache / "files").glob("*/*"))
    assert 0 < kept <= 0.7 * sum(sizes)


def test_addresses_in_a_config(values: dict[str, Any]) -> None:
    values["data"]["root"] = "s3://me:s3cr3t@bucket/x"
    with pytest.raises(ValueError, match="has a password in its address") as caught:
        make_config(values)
    assert "s3cr3t" not in str(caught.value)
    values["data"]["root"] = "gs://bucket/x/"
    assert make_config(values).data.root == "gs://bucket/x"
    with pytest.raises(ValueError, match=r"gs://bucket/x: .* needs the package gcsfs .* pip install gcsfs"):
        list_items(make_config(values).data)
    values["data"]["root"] = 3
    with pytest.raises(ValueError, match=r"data\.root: is no path and no address"):
        make_config(values)
