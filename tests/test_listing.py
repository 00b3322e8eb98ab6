"""Which files count, whatever their names."""

from __future__ import annotations

from pathlib import Path

from a2v_core.listing import SOUND_ENDINGS, VIDEO_ENDINGS, beside, media_files


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened here")


def test_endings_in_any_case_and_nothing_that_only_looks_like_a_video(tmp_path: Path) -> None:
    touch(
        *(tmp_path / name for name in ("b.MP4", "a/c.WebM", "a/d.mov", "notes.txt", "._b.MP4", "a/._d.mov"))
    )
    (tmp_path / "clip.mp4").mkdir()
    touch(tmp_path / "clip.mp4" / "e.mkv")
    names = [path.relative_to(tmp_path).as_posix() for path in media_files(tmp_path, VIDEO_ENDINGS)]
    assert names == ["a/c.WebM", "a/d.mov", "b.MP4", "clip.mp4/e.mkv"]


def test_the_sound_beside_a_video(tmp_path: Path) -> None:
    video = tmp_path / "CLIP.MP4"
    touch(video, tmp_path / "other.wav")
    assert beside(video, SOUND_ENDINGS) is None
    touch(tmp_path / "CLIP.Mp3")
    assert beside(video, SOUND_ENDINGS) == tmp_path / "CLIP.Mp3"
    touch(tmp_path / "CLIP.WAV")
    assert beside(video, SOUND_ENDINGS) == tmp_path / "CLIP.WAV"
    (tmp_path / "CLIP.wav").mkdir()
    assert beside(video, SOUND_ENDINGS) == tmp_path / "CLIP.WAV"
    assert beside(tmp_path / "nowhere" / "a.mp4", SOUND_ENDINGS) is None
