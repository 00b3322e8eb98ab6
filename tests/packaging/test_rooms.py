"""Folders of the library are rooms: what is in one is asked for at its door, and data flows one way.

A room is a folder of `a2v_core` with an `__init__`, its door. `ROOMS` lists them from the lowest to the
highest; what lies in a folder belongs to the innermost room on the list. The door of a folder inside a room
may be used from outside as well. Imports count wherever they stand, in functions and for types alone too.
Tests are exempt.
"""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("a2v_core", "nodes", "training", "benchmarks", "scripts")
# A room may import from those above it in this list, and from what lies directly in a2v_core.
ROOMS = (
    "workers",
    "stores",
    "media",
    "audio",
    "tokens",
    "demo",
    "signals",
    "prompts",
    "layers",
    "schedules",
    "backbones",
    "sampling",
    "pipeline",
    "drawing",
    "preview",
    "metrics/alignment",
    "metrics/sets",
    "metrics/selftest",
    "metrics/takes",
    "metrics/report",
    "metrics/learned",
    "metrics",
    "models",
    "headless/workflow",
    "headless/server",
    "headless",
)


class Import(NamedTuple):
    """`file` imports `name` from `module`, a path without its ending; that of a package is its folder."""

    file: str
    line: int
    module: str
    name: str


def sources() -> list[str]:
    """All Python files in question, as paths from the root."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def imports_of(file: str, code: str) -> Iterator[Import]:
    """What a file imports of this checkout, relative imports resolved; `import x.y` has the name ""."""
    folder = file.split("/")[:-1]
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name.replace(".", "/"), "")
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) + 1 - node.level] if node.level else []
            module = "/".join([*base, *(node.module or "").split(".")]).rstrip("/")
            for alias in node.names:
                yield Import(file, node.lineno, module, alias.name)


def module_of(one: Import, files: frozenset[str]) -> str:
    """The module that an import reaches: the name itself where that is a file that the door does not hide."""
    inside, door = f"{one.module}/{one.name}", f"{one.module}/__init__.py"
    is_module = bool({f"{inside}.py", f"{inside}/__init__.py"} & files)
    return inside if is_module and not (door in files and one.name in names_of(door)) else one.module


@functools.cache
def names_of(door: str) -> set[str]:
    """What an `__init__` imports by name."""
    found = imports_of(door, (ROOT / door).read_text(encoding="utf-8"))
    return {one.name for one in found if one.module != door.removesuffix("/__init__.py")}


def room_of(path: str) -> str:
    """The innermost room that a file or module lies in; "" for none."""
    inside = path.removeprefix("a2v_core/").removesuffix(".py").removesuffix("/__init__") + "/"
    rooms = [room for room in ROOMS if path.startswith("a2v_core/") and inside.startswith(f"{room}/")]
    return max(rooms, key=len, default="")


def past_a_door(one: Import, files: frozenset[str]) -> bool:
    """Whether an import reaches for a file in a room that the importing file is not in."""
    target = module_of(one, files)
    if f"{target}.py" not in files:
        return False
    home = target.rpartition("/")[0]
    return bool(room_of(target)) and not one.file.startswith(f"{home}/")


def against_the_order(one: Import, files: frozenset[str]) -> bool:
    """Whether a room imports from one that is higher, or what lies directly in `a2v_core` from any."""
    if not one.file.startswith("a2v_core/"):
        return False
    here, there = room_of(one.file), room_of(module_of(one, files))
    if here:
        return bool(there) and ROOMS.index(here) < ROOMS.index(there)
    return bool(there) and one.file.count("/") == 1


@functools.cache
def everything() -> tuple[frozenset[str], tuple[Import, ...]]:
    files = sources()
    found = (i for file in files for i in imports_of(file, (ROOT / file).read_text(encoding="utf-8")))
    return frozenset(files), tuple(found)


def told(found: list[Import]) -> list[str]:
    return [f"{one.file}:{one.line} imports {one.name or 'it'} from {one.module}" for one in found]


def test_nobody_imports_past_a_door() -> None:
    files, imports = everything()
    assert told([one for one in imports if past_a_door(one, files)]) == []


def test_no_room_imports_from_a_higher_one() -> None:
    files, imports = everything()
    assert told([one for one in imports if against_the_order(one, files)]) == []


def test_no_lazy_door_gives_a_name_that_a_file_behind_it_has() -> None:
    """Importing the file would put the module in the place of what the door gives."""
    doors = [door for door in (ROOT / "a2v_core").rglob("__init__.py") if "lazy_door(" in door.read_text()]
    assert len(doors) > 3
    for door in doors:
        package = ".".join(door.parent.relative_to(ROOT).parts)
        given = set(getattr(importlib.import_module(package), "__all__", ()))
        assert not given & {file.stem for file in door.parent.glob("*.py")}, package


def test_every_import_of_our_own_has_a_file() -> None:
    """mypy passes over modules that it does not find."""
    files, imports = everything()
    own = [one for one in imports if one.module.split("/")[0] in FOLDERS]
    assert len(own) > 500
    known = {file.removesuffix(".py").removesuffix("/__init__") for file in files}
    known |= {Path(file).parent.as_posix() for file in files}
    assert told([one for one in own if one.module not in known]) == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_door_has_what_it_says(room: str) -> None:
    door = importlib.import_module(f"a2v_core.{room.replace('/', '.')}")
    assert len(door.__all__) == len(set(door.__all__)) > 0
    for name in door.__all__:
        assert hasattr(door, name), name
        assert name in dir(door)


@pytest.mark.parametrize(
    ("file", "code", "past", "against"),
    [
        ("a2v_core/tokens/x.py", "from ..audio import BEATs", False, False),
        ("a2v_core/tokens/x.py", "from ..audio.fbank import beats_fbank", True, False),
        ("a2v_core/tokens/x.py", "from ..audio import fbank", True, False),
        ("a2v_core/tokens/x.py", "def f():\n    from ..headless import run", False, True),
        ("a2v_core/audio/x.py", "from .fbank import beats_fbank", False, False),
        ("a2v_core/audio/beats/x.py", "from ..fbank import MEL_BINS", False, False),
        ("a2v_core/audio/x.py", "from .beats.config import BEATsConfig", True, False),
        ("a2v_core/metrics/sets/x.py", "from ..alignment import Motion", False, False),
        ("a2v_core/metrics/sets/x.py", "from ..alignment.flow import Motion", True, False),
        ("a2v_core/metrics/alignment/x.py", "from ..sets import Outcome", False, True),
        ("a2v_core/metrics/__main__.py", "from .commands import run_score", False, False),
        ("a2v_core/places.py", "from .media import Waveform", False, True),
        ("nodes/x.py", "from ..a2v_core.media import load_audio", False, False),
        ("nodes/x.py", "from ..a2v_core.media.load import load_audio", True, False),
        ("nodes/x.py", "from ..a2v_core.models import fetch", False, False),
        ("nodes/x.py", "from ..a2v_core.models import catalogue", True, False),
        ("nodes/x.py", "from ..a2v_core.places import MAPPER", False, False),
        ("training/x.py", "import a2v_core.metrics.alignment.flow", True, False),
        ("training/x.py", "import a2v_core.metrics.alignment", False, False),
    ],
)
def test_the_checks_see(file: str, code: str, past: bool, against: bool) -> None:
    files, _ = everything()
    (one,) = imports_of(file, code)
    assert (past_a_door(one, files), against_the_order(one, files)) == (past, against)
