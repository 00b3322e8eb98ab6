"""One bad name or file never ends a run over many; names that are no text; folders that cannot be written."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from a2v_core.errors import A2VError
from a2v_core.models import fetch, make_plan, own_model
from a2v_core.models.__main__ import main
from a2v_core.models.errors import DownloadError
from a2v_core.models.plan import is_installed
from a2v_core.tokens import load_mapper
from tests.models.server import Server
from tests.models.test_command import ROOT, run

STRANGE = os.fsdecode(b"caf\xe9 \xe7.pth")  # Latin-1: no UTF-8
CP1252 = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}


def mappers(hub: Server, mapper_file: Path, *names: str) -> None:
    for name in names:
        hub.add(f"/files/{name}", mapper_file.read_bytes())


def test_fetch_goes_on_after_a_bad_one(
    hub: Server, tmp_path: Path, mapper_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that is no model, an address that is none, a name of the hub without its repository."""
    mappers(hub, mapper_file, "a.pth", "b.pth")
    hub.add("/files/page.pth", b"<html>", content_type="text/html")
    dest = tmp_path / "dest"
    good = [f"{hub.url}/files/{name}" for name in ("a.pth", "b.pth")]
    bad = [f"{hub.url}/files/page.pth", "no/address", "me/gone/x.pth"]
    command = ["fetch", "--kind", "mapper", "--dest", str(dest), "--yes"]
    assert main([*command, bad[0], good[0], *bad[1:], good[1], "--json"]) == 3
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [(line["ok"], line["name"]) for line in lines] == [
        (False, bad[0]), (True, good[0]), (False, bad[1]), (False, bad[2]), (True, good[1])
    ]  # fmt: skip
    assert [line.get("error", "") for line in lines if line["ok"]] == ["", ""]
    for line, says in zip(
        (lines[0], lines[2], lines[3]), ("a web page", "expected", "HTTP 404"), strict=True
    ):
        assert says in line["error"]
        assert f"error: {line['error']}" in printed.err
    assert "3 of 5 could not be done" in printed.err
    assert sorted(path.name for path in dest.iterdir()) == ["a.safetensors", "b.safetensors"]
    assert main([*command, *bad]) == 1
    assert "3 of 3 could not be done" in capsys.readouterr().err
    assert main([*command, *good]) == 0


def test_the_codes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["fetch"], ["identify"]):
        with pytest.raises(SystemExit):
            main([*command, "--help"])
        told = " ".join(capsys.readouterr().out.split())
        assert "Exit code 0: all of it was done. 1: nothing could be. 3: some of several could not be" in told


def test_identify_goes_on_whatever_a_file_raises(
    tmp_path: Path, mapper_file: Path, beats_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    (folder / "model_index.json").write_text("[")
    (tmp_path / "._x.pt").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    looped = tmp_path / "loop.pt"
    looped.symlink_to(looped)
    paths = [str(folder), str(tmp_path / "._x.pt"), str(looped), str(tmp_path / ("x" * 300 + ".pt"))]
    assert main(["identify", *paths, str(mapper_file), str(beats_file), "--json"]) == 3
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["kind"] for line in lines] == [None, None, None, None, "AudioMapper", "BEATs encoder"]
    assert "take the one without ._" in lines[1]["error"]
    assert all(line["error"] for line in lines[:4])


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "a2v_core.models", *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("environment", [{}, CP1252], ids=["utf-8", "cp1252"])
def test_names_that_no_output_can_hold(
    tmp_path: Path, mapper_file: Path, environment: dict[str, str]
) -> None:
    names = [STRANGE, "\u97f3\u58f0.pth", "UPPER.PTH"]
    for name in names:
        shutil.copy(mapper_file, tmp_path / name)
    paths = [str(tmp_path / name) for name in names]
    done = command("identify", *paths, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert done.stdout.count(b": AudioMapper") == 3
    as_json = command("identify", *paths, "--json", **environment)
    assert [json.loads(line)["path"] for line in as_json.stdout.splitlines()] == paths
    converted = command("convert", paths[0], **environment)
    assert converted.returncode == 0, converted.stderr
    assert load_mapper((tmp_path / STRANGE).with_suffix(".safetensors")).config.layout == "reference"
    gone = command("identify", str(tmp_path / "gone \u58f0"), **environment)
    assert (gone.returncode, b"no such file" in gone.stderr) == (1, True)


def test_fetch_of_a_name_that_no_output_can_hold(hub: Server, tmp_path: Path, mapper_file: Path) -> None:
    source = tmp_path / STRANGE
    shutil.copy(mapper_file, source)
    process = run(
        hub, tmp_path, "fetch", "mapper-vggsound", "--from", str(source), "--dest", str(tmp_path / "\u58f0"),
        "--yes", **CP1252,
    )  # fmt: skip
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "\\u58f0" in out
    assert (tmp_path / "\u58f0" / "tempotokens_vggsound.safetensors").is_file()


@pytest.mark.parametrize("name", ["x.PTH", "X.Safetensors"])
def test_endings_in_any_case(hub: Server, tmp_path: Path, mapper_file: Path, name: str) -> None:
    body = mapper_file
    if name.lower().endswith("safetensors"):
        body = tmp_path / "made.safetensors"
        assert main(["convert", str(mapper_file), str(body)]) == 0
    hub.add(f"/files/{name}", body.read_bytes())
    target = fetch(make_plan(own_model("mapper", f"{hub.url}/files/{name}"), tmp_path / "dest"))
    assert target.name == f"{name.split('.')[0]}.safetensors"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert main(["convert", str(target), str(tmp_path / "back.PTH")]) == 0
    assert torch.load(tmp_path / "back.PTH", weights_only=True).keys()


def test_two_mappers_of_one_file_name_do_not_mix(hub: Server, tmp_path: Path, mapper_file: Path) -> None:
    """All published ones are called learned_embeds.pth."""
    for number in (1, 2):
        hub.add(f"/{number}/learned_embeds.pth", mapper_file.read_bytes())
    plans = [
        make_plan(own_model("mapper", f"{hub.url}/{number}/learned_embeds.pth", name=f"m{number}"), tmp_path)
        for number in (1, 2)
    ]
    assert len({plan.path_of(plan.files[0]) for plan in plans}) == 2


def test_what_only_looks_like_weights_is_none(tmp_path: Path, t2v_files: dict[str, bytes]) -> None:
    model = own_model("t2v", "me/x")
    for name, body in t2v_files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    assert is_installed(model, tmp_path)
    unet = tmp_path / "unet"
    for name in ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"):
        (unet / name).unlink()
    (unet / "._diffusion_pytorch_model.safetensors").write_bytes(b"\0\5\x16\7")
    (unet / "folder.bin").mkdir()
    assert not is_installed(model, tmp_path)


def test_a_config_in_any_text_encoding(hub: Server, tmp_path: Path, t2v_files: dict[str, bytes]) -> None:
    """A repository that somebody saved with an editor of Windows."""
    config = b"\xef\xbb\xbf" + t2v_files["unet/config.json"]
    hub.add_repo("me/x", t2v_files | {"unet/config.json": config})
    assert fetch(make_plan(own_model("t2v", "me/x"), tmp_path)).is_dir()


def test_places_that_cannot_take_a_model(hub: Server, tmp_path: Path, mapper_file: Path) -> None:
    """Known before anything is downloaded, and before anybody is asked."""
    mappers(hub, mapper_file, "a.pth")
    model = own_model("mapper", f"{hub.url}/files/a.pth")
    (tmp_path / "file").write_text("x")
    (tmp_path / "dest" / "a.safetensors").mkdir(parents=True)
    for folder, says in {
        tmp_path / "file": r"file: is a file; name a folder with --dest",
        tmp_path / "file" / "below": r"file: is a file, so .*below cannot be made",
        Path("/proc/a2v"): r"/proc: nothing can be written there",  # nobody can, not even root
        tmp_path / "dest": r"a\.safetensors: is a folder, and a file has to come there",
    }.items():
        with pytest.raises(DownloadError, match=says):
            make_plan(model, folder)
    (tmp_path / "dest" / "x").write_text("a file in the place of a model")
    with pytest.raises(DownloadError, match=r"x: is a file, and a folder has to come there"):
        make_plan(own_model("t2v", "me/x"), tmp_path / "dest")
    assert not hub.requests
    assert (
        main(["fetch", "--kind", "mapper", f"{hub.url}/files/a.pth", "--dest", str(tmp_path / "file")]) == 1
    )


def test_a_disk_that_fills_on_the_way(hub: Server, tmp_path: Path, mapper_file: Path) -> None:
    """The size is not always known before. What has come stays, and nothing has the final name."""
    hub.add("/files/a.pth", mapper_file.read_bytes() + b"\0" * 300_000, sized=False)
    plan = make_plan(own_model("mapper", f"{hub.url}/files/a.pth"), tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(A2VError, match=r"cannot be written: .*check folder and free space"):
            fetch(plan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name for path in tmp_path.iterdir()} == {"a.pth.part", "a.pth.part.etag"}


def test_too_little_room_is_said_before_anybody_is_asked(
    hub: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.add_repo("me/x", {"big.pth": b"x"})
    api = hub.files["/api/models/me/x/revision/main"]
    api.body = api.body.replace(b'"size": 1', b'"size": 900000000000000')
    arguments = ["fetch", "--kind", "mapper", "me/x/big.pth", "--dest", str(tmp_path)]
    for extra in ([], ["--dry-run"], ["--yes"]):
        assert main([*arguments, *extra]) == 1
        assert "1,800,000,000,000,000 bytes are needed" in capsys.readouterr().err
