"""Each data set in the form it is distributed, as small real files: found, cut, encoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.media.files import write_sound
from tests.training.media import RATE, clock_sound, write_clip
from training.cache import open_cache, read_sample
from training.cache.build import precompute
from training.config import make_config

OFFICIAL = """\
---g-f_I2yQ,1,"people marching",test
--0PQM4-hqg,30,"waterfall, burbling",train
absent,5,"rain",train
"""
PUBLISHED = """\
ytid,start_time,class,set
CQSfI_tXZLY,180,wind noise,test
MJ9-HmGWw1k,180,wind noise,train
"""
DRUMS = """\
ytid,start_time,class,set
578,0,drum kit,train
9,0,drum kit,test
"""
DATA_SETS: dict[str, dict[str, Any]] = {
    "vggsound, official csv": {
        "layout": "vggsound",
        "csv": OFFICIAL,
        "files": ["video/---g-f_I2yQ_000001.mp4", "audio/---g-f_I2yQ_000001.wav", "--0PQM4-hqg_000030.mp4"],
        "found": {
            ("--0PQM4-hqg_30", "train", "waterfall, burbling"),
            ("---g-f_I2yQ_1", "test", "people marching"),
        },
        "missing": ["absent_5"],
    },
    "vggsound, published csv": {
        "layout": "vggsound",
        "csv": PUBLISHED,
        "files": [
            "video/CQSfI_tXZLY_180_190.mp4",
            "video/MJ9-HmGWw1k_180_190.mp4",
            "audio/MJ9-HmGWw1k_180_190.wav",
        ],
        "found": {("CQSfI_tXZLY_180", "test", "wind noise"), ("MJ9-HmGWw1k_180", "train", "wind noise")},
    },
    "landscape": {
        "layout": "landscape",
        "files": ["train/raining/a.mp4", "test/wind noise/b.mp4"],
        "found": {
            ("train/raining/a.mp4", "train", "raining"),
            ("test/wind noise/b.mp4", "test", "wind noise"),
        },
    },
    "audioset_drums, split of TATS": {
        "layout": "audioset_drums",
        "files": ["train/578.mp4", "test/9.mp4"],
        "found": {("train/578.mp4", "train", ""), ("test/9.mp4", "test", "")},
    },
    "audioset_drums, published csv": {
        "layout": "audioset_drums",
        "csv": DRUMS,
        "files": ["video/578.mp4", "audio/578.wav", "video/9.mp4", "audio/9.wav"],
        "found": {("578_0", "train", "drum kit"), ("9_0", "test", "drum kit")},
    },
}


@pytest.mark.parametrize("name", DATA_SETS)
def test_each_data_set_on_real_files(values: dict[str, Any], tmp_path: Path, name: str) -> None:
    case = DATA_SETS[name]
    root = tmp_path / "data"
    for file in case["files"]:
        path = root / file
        if path.suffix == ".wav":
            path.parent.mkdir(parents=True, exist_ok=True)
            write_sound(path, clock_sound(1.5).samples.numpy(), RATE, "pcm_s16le")
        else:
            # Where the sound is a file of its own, the video has none.
            write_clip(path, sound=f"audio/{path.stem}.wav" not in case["files"])
    values["data"] |= {
        "layout": case["layout"],
        "root": str(root),
        "captions": "labels",
        "clips_per_video": 1,
    }
    if "csv" in case:
        (tmp_path / "list.csv").write_text(case["csv"])
        values["data"] |= {"csv": str(tmp_path / "list.csv")}
    config = make_config(values)
    built = precompute(config, progress=False)
    contents = open_cache(config)
    assert contents is not None
    assert {(entry.id, entry.split, entry.caption) for entry in contents.entries} == case["found"]
    assert [row.id for row in built.unusable] == case.get("missing", [])
    for entry in contents.entries:
        sample = read_sample(entry)
        assert sample.latents.shape == (4, 4, 2, 2)
        assert float(sample.layers.abs().max()) > 0
