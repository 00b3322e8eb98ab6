"""Set-up for `make test-newest`: the newest packages, as users get them, on the newest Python of the machine.

No pins: first the newest versions that ComfyUI's own requirements allow, then requirements.txt on top, as
ComfyUI Manager does it. The latter must not change a version that is installed. The environment is made anew
every time, since the newest versions change. NEWEST_PYTHON names another Python; PIP_CONSTRAINT=FILE, which
pip reads itself, holds a package back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from .comfyui import given_comfyui, pinned_comfyui
from .environment import ROOT, Environment, NoVersionError, SetupError, package_name, say, show
from .pythons import Python, named_python, offered_pythons

PACKAGES = Environment(ROOT / ".venv-newest")
TEST_TOOLS = ("pytest", "hypothesis")
ONLY_WHEELS = "--only-binary=:all:"  # nothing is compiled

Versions = Mapping[str, str]


def main() -> int:
    try:
        python, versions = set_up()
    except SetupError as error:
        print(f"\nset-up failed: {error}", file=sys.stderr)
        return 1
    print(difference(pinned_versions(), versions))
    print(f"set-up ready: {show(PACKAGES.python)}, Python {python}")
    return 0


def set_up() -> tuple[Python, Versions]:
    """Make the environment; returns its Python and the installed versions."""
    named = os.environ.get("NEWEST_PYTHON", "").strip()
    pythons = [named_python(named)] if named else offered_pythons()
    have = ", ".join(map(str, pythons))
    say("Python", f"{have}: NEWEST_PYTHON" if named else f"the newest that has all packages of: {have}")
    for python in pythons:
        say("Python", f"taking {python}")
        PACKAGES.remove()
        PACKAGES.make(python.path)
        comfyui = given_comfyui() or pinned_comfyui(PACKAGES)
        try:
            install(PACKAGES, comfyui / "requirements.txt", ROOT / "requirements.txt")
        except NoVersionError:
            say("Python", f"{python} is passed over: not every package has a wheel for it, see above")
            continue
        PACKAGES.pip("test tools", "install", ONLY_WHEELS, *TEST_TOOLS)
        PACKAGES.check_torch()
        return python, PACKAGES.packages()
    raise SetupError("step 'packages': not every package has a wheel for any Python of this machine")


def install(environment: Environment, comfyui_requirements: Path, own_requirements: Path) -> None:
    """Install two requirements files, one after the other. SetupError when the second changes a version."""
    say("packages", "installing the newest that ComfyUI's requirements allow (6 GB on disk)")
    environment.pip("ComfyUI's packages", "install", ONLY_WHEELS, "-r", str(comfyui_requirements))
    before = environment.packages()
    say("packages", f"installing {show(own_requirements)} on top")
    environment.pip("packages", "install", ONLY_WHEELS, "-r", str(own_requirements))
    check_unmoved(before, environment.packages())


def check_unmoved(before: Versions, after: Versions) -> None:
    """SetupError when the version of an installed package has changed, or the package is gone."""
    changed = {name: (old, after.get(name, "gone")) for name, old in before.items() if after.get(name) != old}
    if changed:
        text = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in changed.items())
        raise SetupError(f"step 'packages': requirements.txt moves what ComfyUI had: {text}")
    added = sorted(set(after) - set(before))
    say("packages", f"{len(before)} that were there are as they were; {len(added)} came: {', '.join(added)}")


def pinned_versions(file: Path = ROOT / "constraints.txt") -> Versions:
    """Normalised name -> version of the stand-alone set-up."""
    lines = [line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return {package_name(line): line.partition("==")[2] for line in lines if line}


def difference(pinned: Versions, newest: Versions) -> str:
    """A table of the packages (but pip) whose version is not the pinned one; "-" for one that has no pin."""
    rows = [(name, pinned.get(name, "-"), newest[name]) for name in sorted(set(newest) - {"pip"})]
    rows = [("package", "pinned", "newest"), *(row for row in rows if row[1] != row[2])]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main())
