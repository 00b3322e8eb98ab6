"""Shards give the clips of the files they were made of; they are read by place, and written the same."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch
import webdataset

from a2v_core.stores import Member, at_hand
from tests.stores.proxy import Trouble
from tests.stores.server import S3
from tests.training.media import clock_sound, small_training, write_clip
from training.config import Config, make_config
from training.data import cut, list_items
from training.data.tar_index import scan
from training.data.webdataset import expand
from training.errors import DataError
from training.export_webdataset import main


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips with what a shard has to keep: captions, sound beside the video, equal stems, dots."""
    import soundfile

    root = tmp_path_factory.mktemp("source")
    for number, name in enumerate(["a.mp4", "a.m4v", "deep/b.c.mp4", "train/d.mp4", "test/e.mp4"]):
        write_clip(root / name, pitch=220.0 * (number + 1), sound=name != "train/d.mp4")
    (root / "a.txt").write_text("rain on\na r\u00f3of", encoding="utf-8")
    soundfile.write(root / "train" / "d.wav", clock_sound(1.5).samples[0].numpy(), 16000)
    return root


@pytest.fixture
def config(models: Path, source: Path, tmp_path: Path) -> dict[str, Any]:
    values = small_training(models, source, tmp_path / "run")
    values["data"] |= {"local_cache": str(tmp_path / "local"), "test_share": 0.4}
    return values


def written(values: dict[str, Any], folder: Path) -> Path:
    path = folder / "config.yaml"
    path.write_text(str(values))
    return path


def of_shards(values: dict[str, Any], root: object, **more: object) -> Config:
    data = values["data"] | {"layout": "webdataset", "root": str(root), "test_share": 0.0} | more
    return make_config(values | {"data": data})


def assert_same_clips(one: Config, other: Config) -> None:
    items, again = list_items(one.data)[0], list_items(other.data)[0]
    assert [(i.id, i.split, i.label, i.caption) for i in items] == [
        (i.id, i.split, i.label, i.caption) for i in again
    ]
    for item, twin in zip(items, again, strict=True):
        a, b = cut(item, 1, one.data, one.seed), cut(twin, 1, other.data, other.seed)
        assert a.start == b.start
        assert torch.equal(a.frames, b.frames)
        assert torch.equal(a.sound.samples, b.sound.samples)


def test_shards_give_the_same_clips(config: dict[str, Any], tmp_path: Path, capsys: Any) -> None:
    target, path = tmp_path / "shards", written(config, tmp_path)
    assert main([str(path), str(target), "--shard-mb", "0.09"]) == 0
    shards = sorted(target.glob("*.tar"))
    assert f"5 clips in {len(shards)} shards, {len(shards)} of them new" in capsys.readouterr().out
    assert len(shards) > 1
    assert all(shard.stat().st_size <= 90_000 for shard in shards)
    assert_same_clips(make_config(config), of_shards(config, target))
    pattern = f"shard-{{000000..{len(shards) - 1:06d}}}.tar"
    assert_same_clips(make_config(config), of_shards(config, target / pattern))
    for index in target.glob("*.index.json"):
        index.unlink()
    assert_same_clips(make_config(config), of_shards(config, target))


def test_the_same_bytes_and_only_what_is_missing(config: dict[str, Any], tmp_path: Path, capsys: Any) -> None:
    one, two, path = tmp_path / "one", tmp_path / "two", written(config, tmp_path)
    for target in (one, two):
        assert main([str(path), str(target), "--shard-mb", "0.09"]) == 0
    contents = {p.name: p.read_bytes() for p in one.iterdir()}
    assert contents == {p.name: p.read_bytes() for p in two.iterdir()}
    times = {p.name: p.stat().st_mtime_ns for p in two.iterdir()}
    (two / "shard-000001.tar").unlink()
    assert main([str(path), str(two), "--shard-mb", "0.09"]) == 0
    assert "1 of them new" in capsys.readouterr().out.splitlines()[-1]
    assert contents == {p.name: p.read_bytes() for p in two.iterdir()}
    assert {name for name, time in times.items() if (two / name).stat().st_mtime_ns != time} == {
        "shard-000001.tar",
        "shard-000001.tar.index.json",
    }
    assert main([str(path), str(two)]) == 1
    assert "holds shard-000001.tar, which is none of these shards" in capsys.readouterr().err


def test_other_readers_of_the_format(config: dict[str, Any], source: Path, tmp_path: Path) -> None:
    assert main([str(written(config, tmp_path)), str(tmp_path / "shards")]) == 0
    shard = str(tmp_path / "shards" / "shard-000000.tar")
    samples = {s["__key__"]: s for s in webdataset.WebDataset(shard, shardshuffle=False)}
    assert list(samples) == ["a", "a_2", "deep/b_c", "test/e", "train/d"]
    assert samples["a_2"]["mp4"] == (source / "a.mp4").read_bytes()
    assert samples["a_2"]["txt"].decode() == "rain on a r\u00f3of"
    assert samples["train/d"]["wav"] == (source / "train" / "d.wav").read_bytes()


def test_shards_of_others(models: Path, source: Path, tmp_path: Path) -> None:
    """As the webdataset package writes them, split by their folder, with captions as people have them."""
    shards = tmp_path / "shards"
    (shards / "test").mkdir(parents=True)
    film = (source / "a.mp4").read_bytes()
    with webdataset.TarWriter(str(shards / "0.tar")) as sink:
        sink.write({"__key__": "x", "mp4": film, "json": {"caption": "a bell", "frames": 3}})
        sink.write({"__key__": "y", "mp4": film, "json": b"[1]"})
        sink.write({"__key__": "w", "mp4": film})
    with webdataset.TarWriter(str(shards / "test" / "0.tar")) as sink:
        sink.write({"__key__": "z", "mp4": film, "txt": "a drum"})
    (shards / "bad.tar").write_bytes(b"no tar" * 200)
    (shards / "cut.tar").write_bytes((shards / "0.tar").read_bytes()[: len(film) + 3000])
    values = small_training(models, source, tmp_path / "run")
    values["data"]["local_cache"] = str(tmp_path / "local")
    items, dropped = list_items(of_shards(values, shards).data)
    assert [(i.id, i.split, i.caption) for i in items] == [
        ("test/z.mp4", "test", "a drum"),
        ("w.mp4", "train", ""),
        ("x.mp4", "train", "a bell"),
    ]
    assert {row.id: row.kind for row in dropped} == {
        "bad.tar": "broken shard",
        "cut.tar": "broken shard",
        "y.mp4": "unreadable caption",
    }
    named = of_shards(values, shards / "{0,9}.tar", captions="none")
    items, dropped = list_items(named.data)
    assert [(i.id, i.caption) for i in items] == [("w.mp4", ""), ("x.mp4", "")]
    assert ("9.tar", "missing file") in {(row.id, row.kind) for row in dropped}


def test_an_index_of_another_shard_is_noticed(config: dict[str, Any], tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    assert main([str(written(config, tmp_path)), str(shards)]) == 0
    shard = shards / "shard-000000.tar"
    data = shard.read_bytes()
    shard.write_bytes(data[512:] + data[:512])
    of = of_shards(config, shards)
    with pytest.raises(ValueError, match=r"shard-000000\.tar/a\.m4v: the shard has no member of \d+ bytes"):
        cut(list_items(of.data)[0][0], 0, of.data, of.seed)


def test_shards_in_a_store(config: dict[str, Any], s3: S3, tmp_path: Path, capsys: Any) -> None:
    config["data"] |= {"storage_options": s3.options, "fetch_tries": 2}
    path = written(config, tmp_path)
    target = "s3://clips/shards-of-test"
    assert main([str(path), target, "--shard-mb", "0.09"]) == 0
    puts = [r for r in s3.proxy.requests if r.method == "PUT"]
    shards = len(puts) // 2
    assert f"{shards} of them new" in capsys.readouterr().out
    s3.proxy.forget()
    there = of_shards(config, target)
    assert_same_clips(make_config(config), there)
    # A listing, and of every shard its index and itself: once, for all of its clips.
    assert (s3.proxy.listings(), len(s3.proxy.gets()), s3.proxy.others()) == (1, 2 * shards, [])
    s3.proxy.forget()
    assert_same_clips(make_config(config), there)
    assert (s3.proxy.listings(), s3.proxy.gets()) == (1, [])
    fresh = of_shards(config, target, local_cache=str(tmp_path / "fresh"))
    s3.proxy.troubles += [Trouble("hide", "shard-000000.tar"), Trouble("hide", "000001.tar.index.json")]
    items, dropped = list_items(fresh.data)
    assert [(row.id, row.kind) for row in dropped] == [("shard-000001.tar", "broken shard")]
    with pytest.raises(ValueError, match=r"shards-of-test/shard-000000\.tar: no such file in the store"):
        cut(items[0], 0, fresh.data, fresh.seed)


def test_what_vanishes_while_it_is_exported(
    config: dict[str, Any], s3: S3, source: Path, tmp_path: Path
) -> None:
    config["data"] |= {
        "root": s3.put_folder(source, "vanishing"),
        "storage_options": s3.options,
        "fetch_tries": 2,
    }
    path = written(config, tmp_path)
    s3.proxy.troubles.append(Trouble("hide", "train/d.wav"))
    assert main([str(path), str(tmp_path / "shards")]) == 3
    assert [i.id for i in list_items(of_shards(config, tmp_path / "shards").data)[0]] == [
        "a.m4v",
        "a.mp4",
        "deep/b.c.mp4",
        "test/e.mp4",
    ]
    s3.proxy.forget()
    assert main([str(path), str(tmp_path / "shards")]) == 0
    assert_same_clips(make_config(config), of_shards(config, tmp_path / "shards"))


def test_braces() -> None:
    assert expand("s3://b/{a,b}-{08..10}.tar") == [
        f"s3://b/{x}-{n}.tar" for x in "ab" for n in ("08", "09", "10")
    ]
    with pytest.raises(DataError, match=r"\{0\.\.x\} is neither a span"):
        expand("{0..x}.tar")


def test_a_large_shard_takes_no_memory(tmp_path: Path) -> None:
    """1.2 GB, most of it holes in the file."""
    shard = tmp_path / "large.tar"
    with shard.open("wb") as file:
        for number in range(120):
            info = tarfile.TarInfo(f"{number:03d}.mp4")
            info.size = 10 * 2**20
            file.write(info.tobuf())
            file.seek(info.size, io.SEEK_CUR)
        file.write(bytes(tarfile.RECORDSIZE))
    tracemalloc.start()
    index = scan(shard)
    for name, offset, size in index.members[::40]:
        with at_hand(Member(shard, name, offset, size)) as path:
            assert path.stat().st_size == size
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(index.members), index.size) == (120, 120 * (512 + 10 * 2**20) + tarfile.RECORDSIZE)
    assert peak < 4 * 2**20
