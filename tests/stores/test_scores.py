"""Scores of what lies in a store: those of the same files on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from a2v_core.metrics.__main__ import main
from tests.stores.proxy import Trouble
from tests.stores.server import S3

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "av_align"
NAMES = ("clip0_sync_12fps", "clip6_sync_8fps")


@pytest.fixture
def address(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a folder in a store that the environment names; and the folder `clips` with the same files."""
    for name, value in (
        ("AWS_ENDPOINT_URL", s3.proxy.url),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("XDG_CACHE_HOME", str(tmp_path / "cache")),
    ):
        monkeypatch.setenv(name, value)
    clips = tmp_path / "clips"
    (clips / "deep").mkdir(parents=True)
    for place, name in zip((clips, clips / "deep"), NAMES, strict=True):
        for ending in (".mp4", ".wav"):
            (place / f"{name}{ending}").write_bytes((GOLDEN / f"{name}{ending}").read_bytes())
    return s3.put_folder(clips, f"scores-{tmp_path.name}")


def scores(arguments: list[str], out: Path, code: int = 0) -> list[dict[str, Any]]:
    assert main(["score", *arguments, "--fast", "--jobs", "1", "--out", str(out)]) == code
    clips: list[dict[str, Any]] = json.loads((out / "scores.json").read_text())["clips"]
    return clips


def test_the_same_scores(address: str, s3: S3, tmp_path: Path) -> None:
    here = scores([str(tmp_path / "clips")], tmp_path / "here")
    there = scores([address], tmp_path / "there")
    assert [clip["video"] for clip in there] == [
        f"{address}/{NAMES[0]}.mp4",
        f"{address}/deep/{NAMES[1]}.mp4",
    ]
    assert [clip["audio"] for clip in there] == [
        f"{address}/{NAMES[0]}.wav",
        f"{address}/deep/{NAMES[1]}.wav",
    ]
    for a, b in zip(here, there, strict=True):
        same = a.keys() - {"video", "audio"}
        assert {key: a[key] for key in same} == {key: b[key] for key in same}
    assert (s3.proxy.listings(), len(s3.proxy.gets()), s3.proxy.others()) == (1, 4, [])
    s3.proxy.forget()
    assert scores([address], tmp_path / "there") == there
    assert (s3.proxy.listings(), s3.proxy.gets()) == (1, [])


def test_what_cannot_be_fetched_is_named(
    address: str, s3: S3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.proxy.troubles.append(Trouble("hide", f"{NAMES[0]}.mp4"))
    (clip,) = scores([address], tmp_path / "out", code=3)
    assert clip["video"].endswith(f"{NAMES[1]}.mp4")
    assert f"{address}/{NAMES[0]}.mp4: no such file in the store" in capsys.readouterr().out
    assert main(["score", f"{address}/nothing"]) == 1
    assert f"{address}/nothing" in capsys.readouterr().err
    assert main(["score", "s3://me:secret@clips/x"]) == 1
    assert "secret" not in capsys.readouterr().err
