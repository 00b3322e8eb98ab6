"""Files go to the server under their own names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from a2v_core.headless import RunSettings, run
from a2v_core.headless.server import ComfyServer
from a2v_core.headless.server.forms import NAME_BYTES, stored_name
from a2v_core.headless.server.progress import Lines
from tests.headless.test_cli import call
from tests.headless.test_run import seconds_of, sound_prompt, write, write_wav

OWN_NAMES = [
    "my sound.wav",
    "\u97f3\u4e50.wav",
    "100% 50%20.wav",
    "quotes \" ' and; semi; colons.wav",
    "back\\slash.wav",
    "\u00e9t\u00e9 \U0001f3b5.wav",
    "=?utf-8?q?x?=.wav",
    "a&b=c+d#e.wav",
    ".wav",
    "no ending",
    "\u97f3" * 80 + ".wav",
    "x" * (NAME_BYTES - 4) + ".wav",
]
OTHER_NAMES = {
    "x" * 251 + ".wav": "x" * (NAME_BYTES - 4) + ".wav",
    "\u97f3" * 83 + ".wav": "\u97f3" * 81 + ".wav",
    "new\nline.wav": "new_line.wav",
    os.fsdecode(b"caf\xe9.wav"): "caf_.wav",
}


@pytest.mark.parametrize("name", OWN_NAMES)
def test_a_name_is_kept(comfy_server: ComfyServer, tmp_path: Path, name: str) -> None:
    """Also the one that a second file of the same name gets fits."""
    workflow = write(tmp_path / "sound.json", sound_prompt())
    for number, seconds in enumerate((0.25, 0.5)):
        (tmp_path / str(number)).mkdir()
        write_wav(tmp_path / "plain.wav", seconds).rename(tmp_path / str(number) / name)
        settings = RunSettings(workflow, audio=tmp_path / str(number) / name, out=tmp_path / "out")
        result = run(settings, server=comfy_server.url)
        stored = result.uploads[tmp_path / str(number) / name]
        stem, dot, ending = name.rpartition(".") if name.rpartition(".")[0] else (name, "", "")
        assert stored == (f"{stem} (1){dot}{ending}" if number else name)
        assert (comfy_server.input / stored).is_file()
        assert seconds_of(result.files[0].path) == pytest.approx(seconds)


@pytest.mark.parametrize(("name", "stored"), OTHER_NAMES.items())
def test_a_name_that_no_server_takes(
    comfy_server: ComfyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, stored: str
) -> None:
    workflow = write(tmp_path / "sound.json", sound_prompt())
    sound = write_wav(tmp_path / "plain.wav", 0.25).rename(tmp_path / name)
    settings = RunSettings(workflow, overrides=[f"5.audio={sound}"], out=tmp_path / "out")
    result = run(settings, server=comfy_server.url, progress=Lines())
    assert result.uploads == {sound: stored}
    assert seconds_of(result.files[0].path) == pytest.approx(0.25)
    assert f"is {stored} on the server" in capsys.readouterr().err


def test_endings_are_kept_unless_they_are_none() -> None:
    assert stored_name("x" * 300 + ".flac").endswith("xx.flac")
    assert len(stored_name("x" * 300 + ".flac").encode()) == NAME_BYTES
    assert stored_name("a." + "b" * 300) == ("a." + "b" * 300)[:NAME_BYTES]
    assert stored_name("\U0001f3b5" * 100) == "\U0001f3b5" * (NAME_BYTES // 4)


def test_a_file_that_cannot_be_read_and_a_text_that_is_none(
    comfy_server: ComfyServer, tmp_path: Path
) -> None:
    workflow = write(tmp_path / "sound.json", sound_prompt())
    for name in ("x" * 5000, "/proc/self/mem"):
        done = call(workflow, "--server", comfy_server.url, "--audio", name, "--out", tmp_path)
        assert done.returncode == 2
        assert "there is no file" in done.stderr or "cannot be read" in done.stderr
        done = call(workflow, "--server", comfy_server.url, "--set", f"5.audio={name}", "--out", tmp_path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
