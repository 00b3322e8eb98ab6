"""Each data set as it lies on disk, on small real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2v_core.stores import name_of
from tests.training.media import write_clip
from training.config import Data
from training.data import list_items, split_of
from training.errors import DataError

VIDEO = b"not opened here"


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(VIDEO)


def data(root: Path, layout: str, **more: object) -> Data:
    return Data.model_validate({"layout": layout, "root": root, **more})


def test_folder_with_captions_and_split_folders(clips: Path) -> None:
    items, unusable = list_items(data(clips, "folder"))
    assert [(item.id, item.split) for item in items] == [
        ("test/e.mp4", "test"),
        ("test/f.mp4", "test"),
        ("train/a.mp4", "train"),
        ("train/b.mp4", "train"),
        ("train/c.mp4", "train"),
        ("train/d.mp4", "train"),
    ]
    assert [item.caption for item in items] == ["", "", "", "a bell on a table", "", ""]
    assert unusable == []
    assert [item.caption for item in list_items(data(clips, "folder", captions="none"))[0]] == [""] * 6


def test_folder_without_split_is_split_by_id(tmp_path: Path) -> None:
    touch(*(tmp_path / f"{number}.webm" for number in range(200)))
    items, _ = list_items(data(tmp_path, "folder", test_share=0.25))
    held_out = {item.id for item in items if item.split == "test"}
    assert 30 <= len(held_out) <= 70
    touch(tmp_path / "one more.mp4")
    again, _ = list_items(data(tmp_path, "folder", test_share=0.25))
    assert {item.id for item in again if item.split == "test"} - {"one more.mp4"} == held_out
    assert split_of("0", 0.0) == "train"
    few, _ = list_items(data(tmp_path, "folder", limit=40, test_share=0.25))
    assert len(few) == 40
    assert {item.split for item in few} == {"train", "test"}


def test_vggsound_official_csv(tmp_path: Path) -> None:
    write_clip(tmp_path / "video" / "---g-f_I2yQ_000001.mp4")
    touch(tmp_path / "video" / "--0PQM4-hqg_000030.mp4", tmp_path / "audio" / "--0PQM4-hqg_000030.wav")
    csv = tmp_path / "vggsound.csv"
    csv.write_text(
        '---g-f_I2yQ,1,"people marching",test\n--0PQM4-hqg,30,"waterfall burbling",train\n'
        'absent_id_0,5,"rain",train\n'
    )
    items, unusable = list_items(data(tmp_path, "vggsound", csv=csv, captions="labels"))
    assert [(item.id, item.split, item.label) for item in items] == [
        ("---g-f_I2yQ_1", "test", "people marching"),
        ("--0PQM4-hqg_30", "train", "waterfall burbling"),
    ]
    assert items[0].sound == items[0].video == tmp_path / "video" / "---g-f_I2yQ_000001.mp4"
    assert items[1].sound == tmp_path / "audio" / "--0PQM4-hqg_000030.wav"
    assert items[1].caption == "waterfall burbling"
    assert [(row.id, row.kind) for row in unusable] == [("absent_id_0_5", "missing file")]


def test_vggsound_published_csv(tmp_path: Path) -> None:
    # Two clips of one video, and an id that itself ends in an underscore and digits.
    names = ("6KPbFgPK0Bw_31000_41000", "6KPbFgPK0Bw_40000_50000", "_7efISW7_12_20000_30000", "ltkhJhNo6a8")
    touch(*(tmp_path / "video" / f"{name}.mp4" for name in names))
    csv = tmp_path / "vggsound.csv"
    csv.write_text(
        "ytid,start_time,class,set\n6KPbFgPK0Bw,31000,bubbling,train\n6KPbFgPK0Bw,40000,bubbling,test\n"
        "_7efISW7_12,20000,raining,train\nltkhJhNo6a8,180,wind noise,test\nltkhJhNo6a8,190,wind noise,train\n"
    )
    items, unusable = list_items(data(tmp_path, "vggsound", csv=csv))
    found = {item.id: (name_of(item.video).stem, item.split) for item in items}
    assert found == {
        "6KPbFgPK0Bw_31000": (names[0], "train"),
        "6KPbFgPK0Bw_40000": (names[1], "test"),
        "_7efISW7_12_20000": (names[2], "train"),
        "ltkhJhNo6a8_180": (names[3], "test"),
    }
    # The same file never stands in train and test.
    assert [(row.id, row.kind) for row in unusable] == [("ltkhJhNo6a8_190", "same file")]


def test_landscape_folders(tmp_path: Path) -> None:
    touch(tmp_path / "train" / "raining" / "a.mp4", tmp_path / "test" / "wind noise" / "b.mp4")
    items, _ = list_items(data(tmp_path, "landscape", captions="labels"))
    assert [(item.split, item.label, item.caption) for item in items] == [
        ("test", "wind noise", "wind noise"),
        ("train", "raining", "raining"),
    ]


def test_audioset_drums_with_the_split_of_tats(tmp_path: Path) -> None:
    touch(tmp_path / "train" / "578.mp4", tmp_path / "test" / "9.mp4")
    assert [(i.id, i.split) for i in list_items(data(tmp_path, "audioset_drums"))[0]] == [
        ("test/9.mp4", "test"),
        ("train/578.mp4", "train"),
    ]


def test_audioset_drums_with_the_published_csv(tmp_path: Path) -> None:
    touch(tmp_path / "video" / "578.mp4", tmp_path / "audio" / "578.wav", tmp_path / "video" / "9.mp4")
    csv = tmp_path / "audioset-drum.csv"
    csv.write_text("ytid,start_time,class,set\n578,0,drum kit,train\n9,0,drum kit,test\n")
    items, _ = list_items(data(tmp_path, "audioset_drums", csv=csv))
    assert [(i.id, i.split, i.label) for i in items] == [
        ("578_0", "train", "drum kit"),
        ("9_0", "test", "drum kit"),
    ]
    assert name_of(items[0].sound).name == "578.wav"


def test_filters_report_what_they_leave_out(tmp_path: Path) -> None:
    touch(*(tmp_path / "clips" / f"{name}.mp4" for name in "abcd"))
    (tmp_path / "bad.txt").write_text("a\n")
    (tmp_path / "scores.csv").write_text("id,score\nb,0.1\nc,0.9\n")
    items, dropped = list_items(
        data(
            tmp_path / "clips",
            "folder",
            exclude_ids=tmp_path / "bad.txt",
            scores=tmp_path / "scores.csv",
            min_score=0.5,
        )
    )
    assert [item.id for item in items] == ["c.mp4", "d.mp4"]
    assert [(row.id, row.kind) for row in dropped] == [
        ("a.mp4", "excluded"),
        ("b.mp4", "sound and picture disagree"),
    ]


def test_data_sets_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no video"):
        list_items(data(tmp_path, "folder"))
    touch(tmp_path / "a.mp4")
    csv = tmp_path / "list.csv"
    with pytest.raises(DataError, match=r"check data\.csv"):
        list_items(data(tmp_path, "vggsound", csv=csv))
    csv.write_text("x,1,rain,train\n")
    with pytest.raises(DataError, match=r"no usable video \(1 are left out\)"):
        list_items(data(tmp_path, "vggsound", csv=csv))
    csv.write_text("x,1,rain\n")
    with pytest.raises(DataError, match=r"line 1: 'x,1,rain' is not"):
        list_items(data(tmp_path, "vggsound", csv=csv))
