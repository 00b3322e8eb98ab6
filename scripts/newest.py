"""Set-up for `make test-newest`: what users get today, on the newest Python that the machine offers.

No pins: first the newest versions that ComfyUI's own requirements allow, then requirements.txt on top, as
ComfyUI Manager does it. Nothing that was there may move by that. The environment is made anew every time,
since what is newest changes. NEWEST_PYTHON names another Python; PIP_CONSTRAINT=FILE, which pip reads itself,
holds a package back.
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
ONLY_WHEELS = "--only-binary=:all:"  # nothing is compiled here

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
    """Make the environment; the Python that was taken and the versions that came."""
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


def install(environment: Environment, comfyuis: Path, ours: Path) -> None:
    """Two files of requirements, one after the other. SetupError when the second moves what is there."""
    say("packages", "installing the newest that ComfyUI's requirements allow (6 GB on disk)")
    environment.pip("ComfyUI's packages", "install", ONLY_WHEELS, "-r", str(comfyuis))
    before = environment.packages()
    say("packages", f"installing {show(ours)} on top")
    environment.pip("packages", "install", ONLY_WHEELS, "-r", str(ours))
    check_unmoved(before, environment.packages())


def check_unmoved(before: Versions, after: Versions) -> None:
    """SetupError when a package that was there has another version now, or is gone."""
    moved = {name: (was, after.get(name, "gone")) for name, was in before.items() if after.get(name) != was}
    if moved:
        text = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in moved.items())
        raise SetupError(f"step 'packages': requirements.txt moves what ComfyUI had: {text}")
    came = sorted(set(after) - set(before))
    say("packages", f"{len(before)} that were there are as they were; {len(came)} came: {', '.join(came)}")


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
