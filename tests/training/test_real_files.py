"""Files that people really have, through precompute: each is used, or listed with its reason."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from a2v_core.media import Span
from training.cache import open_cache
from training.cache.build import precompute
from training.config import Data, make_config
from training.data import Item, cut, list_items
from training.data.clip import clip_start, common_span
from training.errors import DataError
from training.loop import fit

CASES = Path(__file__).resolve().parents[1] / "media" / "cases"
CAPTIONS = Path(__file__).parent / "captions"


def item(name: str) -> Item:
    return Item(id=name, video=CASES / name, split="train")


def data(root: Path, **more: object) -> Data:
    values: dict[str, object] = {"layout": "folder", "root": root, "fps": 12.0, "num_frames": 8}
    return Data.model_validate({**values, "width": 32, "height": 32, "test_share": 0.0, **more})


@pytest.mark.parametrize("name", ["sound_from_3s.mp4", "sound_from_3s.mkv"])
def test_clips_lie_where_there_is_sound(name: str) -> None:
    span = common_span(item(name))
    assert span == pytest.approx((2.98, 6.0), abs=0.01)
    starts = [cut(item(name), number, data(CASES), seed=1).start for number in range(20)]
    assert min(starts) >= span.start
    assert max(starts) + 8 / 12 <= 6.0
    assert max(starts) - min(starts) > 1.5


def test_sound_that_ends_early_gives_as_many_clips_as_any() -> None:
    for number in range(4):
        clip = cut(item("sound_to_2.6s.mkv"), number, data(CASES), seed=1)
        assert clip.start + 8 / 12 <= 2.61
        assert clip.sound.samples.shape[1] == 32000


def test_a_browsers_recording_can_be_trained_on() -> None:
    clip = cut(item("media_recorder.webm"), 0, data(CASES), seed=1)
    assert clip.frames.shape == (8, 32, 32, 3)
    # The grey patch at the top left tells the frame of the original at 24 fps: pictures follow its clock.
    tiny = data(CASES, width=64, height=64, start="fixed", start_seconds=2.0)
    frames = cut(item("media_recorder.webm"), 0, tiny, seed=1).frames
    assert frames.float().std() > 5


def test_pictures_and_sound_of_a_file_that_starts_within_a_group_of_pictures() -> None:
    span = common_span(item("mid_gop.ts"))
    assert span == pytest.approx((0.0, 4.0), abs=0.01)
    whole = cut(item("trim_copy.mkv"), 0, data(CASES, start="fixed", start_seconds=2.0), seed=1)
    part = cut(item("mid_gop.ts"), 0, data(CASES, start="fixed", start_seconds=1.0), seed=1)
    assert (whole.frames.float() - part.frames.float()).abs().mean() < 2
    assert (whole.sound.samples - part.sound.samples).abs().max() < 0.05


def test_the_start_of_a_clip() -> None:
    assert clip_start(Span(0.0, 4.0), 1.0, 0.5) == 1.5
    assert clip_start(Span(2.9804, 4.0), 1.0, 0.9) == 2.981 + 0.017
    assert clip_start(Span(0.0, 0.999), 1.0, 0.5) == 0.0


def test_one_bad_file_never_ends_a_run(values: dict[str, Any], tmp_path: Path) -> None:
    root = tmp_path / "mixed"
    root.mkdir()
    for name in ("latin1_title.avi", "latin1_title.mkv", "unknown_codec.mp4", "two_tracks_apac_first.mov"):
        shutil.copy(CASES / name, root / name)
    for name in ("IMG_0001.mp4", "IMG_0001.MOV", os.fsdecode(b"caf\xe9 \xff.mp4"), "._IMG_0001.mp4"):
        shutil.copy(CASES / "plain.mp4", root / name)
    (root / "._IMG_0001.mp4").write_bytes(b"macOS")
    (root / "clip.mp4").mkdir()
    for name, text in (("latin1_title.avi", "a.txt"), ("latin1_title.mkv", "b.txt")):
        shutil.copy(CAPTIONS / text, (root / name).with_suffix(".txt"))
    shutil.copy(CAPTIONS / "a.txt", root / "latin1_title.txt")
    (root / "IMG_0001.TXT").write_bytes(b"d\xe9j\xe0 vu")
    values["data"] |= {"root": str(root), "clips_per_video": 1, "test_share": 0.0}
    config = make_config(values)
    built = precompute(config, progress=False)
    contents = open_cache(config)
    assert contents is not None
    no_text = os.fsdecode(b"caf\xe9 \xff.mp4")
    used = {entry.id: entry.caption for entry in contents.entries}
    bell = "a bell rings"
    assert used == {
        no_text: "",
        "latin1_title.avi": bell,
        "latin1_title.mkv": bell,
        "two_tracks_apac_first.mov": "",
    }
    with built.report.open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row["kind"] for row in csv.DictReader(file)}
    assert rows == {
        "IMG_0001.mp4": "unreadable caption",
        "IMG_0001.MOV": "unreadable caption",
        "unknown_codec.mp4": "unknown codec",
    }
    (root / "IMG_0001.TXT").unlink()
    config = make_config(values | {"output_dir": str(tmp_path / "again")})
    precompute(config, progress=False)
    contents = open_cache(config)
    assert contents is not None
    assert {"IMG_0001.mp4", "IMG_0001.MOV"} <= {entry.id for entry in contents.entries}
    assert torch.isfinite(torch.tensor(fit(config, progress=False).loss))


@pytest.mark.parametrize("name", ["a.txt", "b.txt"])
def test_lists_in_any_encoding(tmp_path: Path, name: str) -> None:
    encoding = {"a.txt": "utf-8-sig", "b.txt": "utf-16"}[name]
    for stem in ("\u96e8", "x"):
        (tmp_path / f"{stem}.mp4").write_bytes(b"not opened here")
    (tmp_path / "bad.txt").write_text("\u96e8\n", encoding=encoding)
    (tmp_path / "scores.csv").write_text("id,score\nx,0.7\n", encoding=encoding)
    lists = {"exclude_ids": tmp_path / "bad.txt", "scores": tmp_path / "scores.csv", "min_score": 0.5}
    items, dropped = list_items(data(tmp_path, **lists))
    assert [item.id for item in items] == ["x.mp4"]
    assert [row.id for row in dropped] == ["\u96e8.mp4"]
    (tmp_path / "list.csv").write_text("x,1,rain,train\n", encoding=encoding)
    assert [
        item.label for item in list_items(data(tmp_path, layout="vggsound", csv=tmp_path / "list.csv"))[0]
    ]
    (tmp_path / "bad.txt").write_bytes(b"\xff\xff\xe9\n")
    with pytest.raises((DataError, ValueError), match=r"bad\.txt: is not text"):
        list_items(data(tmp_path, **lists))
