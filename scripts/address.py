"""Writes the URLs of a published repository into pyproject.toml: project links, icon and banner.

    python -m scripts.address https://github.com/OWNER/NAME [--branch main]

The registry and ComfyUI Manager show them. They are not known before the repository is published.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
PICTURES = {"Icon": "docs/images/icon.png", "Banner": "docs/images/banner.png"}

_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git|/)?")
_URLS = re.compile(r"\[project\.urls\]\n(?:[^\[\n].*\n)*\n*")
_PICTURES = re.compile(rf"^(?:{'|'.join(PICTURES)}) = .*\n", re.MULTILINE)


def with_address(text: str, repository: str, branch: str = "main") -> str:
    """The text of a pyproject.toml with the URLs of `repository`, replacing any others.

    ValueError for an address that is not a GitHub repository's, or a file without [tool.comfy].
    """
    found = _GITHUB.fullmatch(repository)
    if found is None:
        raise ValueError(f"{repository}: expected the address of a repository, https://github.com/OWNER/NAME")
    home = f"https://github.com/{found[1]}"
    raw = f"https://raw.githubusercontent.com/{found[1]}/{branch}"
    links = {
        "Repository": home,
        "Documentation": f"{home}#readme",
        "Issues": f"{home}/issues",
        "Bug Tracker": f"{home}/issues",
        "Changelog": f"{home}/blob/{branch}/CHANGELOG.md",
    }
    urls = "\n".join(["[project.urls]", *(f'"{name}" = "{link}"' for name, link in links.items())])
    pictures = "".join(f'{name} = "{raw}/{path}"\n' for name, path in PICTURES.items())
    bare = _PICTURES.sub("", _URLS.sub("", text))
    if "[tool.comfy]\n" not in bare:
        raise ValueError("there is no [tool.comfy] table to complete")
    before, after = bare.split("[tool.comfy]\n", 1)
    new = f"{before}{urls}\n\n[tool.comfy]\n{pictures}{after}"
    tomllib.loads(new)
    return new


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.address", description="Fill in web addresses.")
    parser.add_argument("repository", help="https://github.com/OWNER/NAME")
    parser.add_argument("--branch", default="main", help="the branch whose pictures are shown")
    options = parser.parse_args(arguments)
    try:
        text = with_address(PROJECT.read_text(encoding="utf-8"), options.repository, options.branch)
    except ValueError as error:
        print(f"address: {error}", file=sys.stderr)
        return 1
    PROJECT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
