"""The set-up of `make test-newest`: which Python it takes, and that requirements.txt moves nothing.

With small wheels in a folder in the place of the registry.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts import newest, pythons
from scripts.environment import Environment, NoVersionError, SetupError

ROOT = Path(__file__).resolve().parents[2]
HERE = tuple(sys.version_info[:3])
NAME = f"python3.{HERE[1]}"


def add_wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    """An empty package."""
    info = f"{name}-{version}.dist-info"
    facts = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    facts += [f"Requires-Dist: {need}" for need in needs]
    texts = {
        "METADATA": "\n".join([*facts, ""]),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "".join(f"{info}/{file},,\n" for file in ("METADATA", "WHEEL", "RECORD")),
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in texts.items():
            wheel.writestr(f"{info}/{file}", text)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip takes packages from, and nothing else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, value in {"CONFIG_FILE": "/dev/null", "NO_INDEX": "1", "FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One for all tests, whose packages have different names."""
    made = Environment(tmp_path_factory.mktemp("newest") / "environment")
    made.make(Path(sys.executable))
    return made


def wishes(folder: Path, name: str, lines: Sequence[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(lines))
    return path


def test_the_newest_is_taken_and_stays(wheels: Path, environment: Environment, tmp_path: Path) -> None:
    for version in ("1.0", "2.0"):
        add_wheel(wheels, "shared", version)
    add_wheel(wheels, "ours", "0.3", "shared>=1")
    comfyuis, ours = wishes(tmp_path, "comfyui.txt", ["shared"]), wishes(tmp_path, "ours.txt", ["ours"])
    newest.install(environment, comfyuis, ours)
    assert environment.packages().items() >= {"shared": "2.0", "ours": "0.3"}.items()


def test_what_moves_is_named(wheels: Path, environment: Environment, tmp_path: Path) -> None:
    """As an upper bound does that a package of ours has."""
    for version in ("1.0", "2.0"):
        add_wheel(wheels, "moved", version)
    add_wheel(wheels, "strict", "0.3", "moved<2")
    comfyuis, ours = wishes(tmp_path, "comfyui.txt", ["moved"]), wishes(tmp_path, "ours.txt", ["strict"])
    with pytest.raises(SetupError, match=r"moves what ComfyUI had: moved 2\.0 -> 1\.0$"):
        newest.install(environment, comfyuis, ours)


def test_no_wheel_is_told_apart(wheels: Path, environment: Environment, tmp_path: Path) -> None:
    """So that an older Python gets its turn."""
    add_wheel(wheels, "needy", "0.3", "compiled")
    with pytest.raises(NoVersionError, match="step 'ComfyUI's packages': pip ended with code 1"):
        newest.install(environment, wishes(tmp_path, "comfyui.txt", ["needy"]), tmp_path / "none.txt")


def test_another_failure_of_pip_is_not(wheels: Path, environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        newest.install(environment, tmp_path / "missing.txt", tmp_path / "none.txt")
    assert not isinstance(caught.value, NoVersionError)


def test_gone_packages_have_moved() -> None:
    with pytest.raises(SetupError, match=r"a 1 -> gone, b 1 -> 2$"):
        newest.check_unmoved({"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "1", "d": "1"})


def test_the_table_has_what_differs() -> None:
    pinned, found = {"av": "18", "same": "1", "left": "2"}, {"av": "19", "same": "1", "x": "3"}
    table = newest.difference(pinned, found | {"pip": "24"})
    assert table.splitlines() == ["package  pinned  newest", "av       18      19", "x        -       3"]
    pins = newest.pinned_versions()
    assert (pins["torch"], pins["pyyaml"]) == ("2.11.0", "6.0.3")


def place(folder: Path, name: str, answer: str) -> Path:
    """A program that answers the question of `pythons` with a line, or fails."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{answer}\n")
    path.chmod(0o755)
    return path


def says(version: Sequence[int], usual: bool = True, path: str = "/there") -> str:
    return f"echo '[\"{path}\", {list(version)}, {str(usual).lower()}]'"


def test_the_newest_python_of_a_machine(tmp_path: Path) -> None:
    real = tmp_path / "bin" / NAME
    place(tmp_path / "bin", "python3.98", "exit 127")  # a shim of pyenv's for a version that is not chosen
    place(tmp_path / "bin", "python3.97", says((3, 97, 0), usual=False))
    place(tmp_path / "bin", "python3.10", says((3, 10, 1)))
    place(tmp_path / "bin", "python3.96-config", says((3, 96, 0)))
    real.symlink_to(sys.executable)
    place(tmp_path / ".pyenv" / "versions" / "3.90.1" / "bin", "python3.90", says((3, 90, 1), path="/old"))
    place(tmp_path / ".pyenv" / "versions" / "3.90.5" / "bin", "python3.90", says((3, 90, 5), path="/new"))
    uv = tmp_path / ".local" / "share" / "uv" / "python" / "cpython-3.91.0-linux" / "bin"
    place(uv, "python3.91", says((3, 91, 0), path="/uv"))
    found = pythons.offered_pythons({"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")})
    assert [python.version for python in found] == [(3, 91, 0), (3, 90, 5), HERE]
    assert [str(python.path) for python in found[:2]] == ["/uv", "/new"]
    assert found[2].path == Path(sys.executable).resolve()


def test_no_python(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no python3\.X from 3\.11 on .* NEWEST_PYTHON="):
        pythons.offered_pythons({"HOME": str(tmp_path), "PATH": str(tmp_path)})


def test_a_python_that_is_named(tmp_path: Path) -> None:
    assert pythons.named_python(sys.executable).version == HERE
    beta = place(tmp_path, "mine", says((3, 97, 0), usual=False))
    assert pythons.named_python(str(beta)).version == (3, 97, 0)
    with pytest.raises(SetupError, match="NEWEST_PYTHON is nowhere: no Python"):
        pythons.named_python("nowhere")
    with pytest.raises(SetupError, match=r"NEWEST_PYTHON is 3\.10\.1 \(/there\), needed is 3\.11 or newer"):
        pythons.named_python(str(place(tmp_path, "old", says((3, 10, 1)))))


def test_it_tests_what_is_there() -> None:
    """The paths in the Makefile; its tools are those of the developers."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^NEWEST_TESTS \?= ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    paths = listed.replace("\\\n", " ").split()
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert {path.split("/")[1] for path in paths} >= {"audio", "metrics", "headless", "comfyui"}
    dev = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").split()
    assert set(newest.TEST_TOOLS) <= set(dev)


def test_continuous_integration_runs_it() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make test", "make test-newest"]
