"""Addresses as pasted from a browser: those of Hugging Face become hub sources, those of pages file links.

For a hub source the hub states checksum and licence, and takes the user's token.
"""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from urllib.parse import unquote

from ..errors import A2VError
from ..places import WEIGHTS
from .sources import HubFile, HubFolder

ENDPOINT = "https://huggingface.co"
_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
_REPO_TYPES = {"models": "model", "datasets": "dataset", "spaces": "space"}
_FILE_VIEWS = ("blob", "resolve", "raw")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)

# Address of a page that shows a file -> address of the file itself.
_FILE_PAGES = (
    (re.compile(r"^(https?://(?:www\.)?github\.com/[^/]+/[^/]+)/blob/"), r"\1/raw/"),
    (re.compile(r"^(https?://[^?#]+/-)/blob/"), r"\1/raw/"),  # GitLab, wherever it runs
    (re.compile(r"^(https?://hf-mirror\.com/[^?#]+?)/blob/"), r"\1/resolve/"),
    (re.compile(r"^(https?://(?:www\.)?dropbox\.com/.*[?&]dl=)0\b"), r"\g<1>1"),
)


def endpoint() -> str:
    """The hub, or the user's mirror of it (HF_ENDPOINT)."""
    return (os.environ.get("HF_ENDPOINT", "").strip() or ENDPOINT).rstrip("/")


def is_address(where: str) -> bool:
    """Whether it is an http(s) address."""
    return _SCHEME.match(where) is not None


def on_hub(url: str) -> bool:
    """Whether an address is on the hub, or on the user's mirror of it."""
    return _below_hub(url) is not None


def hub_source(where: str) -> HubFile | HubFolder | None:
    """What an address of the hub names: a file or a whole repository, with its revision.

    None for any other address. A2VError for a folder inside a repository, which no model is.
    """
    parts = _below_hub(where) or []
    repo_type = "model"
    if parts and parts[0] in _REPO_TYPES:
        repo_type, parts = _REPO_TYPES[parts[0]], parts[1:]
    if len(parts) < 2 or not all(parts) or ".." in parts:
        return None
    repo, view, rest = "/".join(parts[:2]), parts[2] if len(parts) > 2 else "", parts[3:]
    if rest[:1] == ["refs"] and len(rest) > 2:  # a branch of a pull request, its slashes not quoted
        rest = ["/".join(rest[:3]), *rest[3:]]
    if view in _FILE_VIEWS and len(rest) > 1:
        return HubFile(repo, "/".join(rest[1:]), rest[0], repo_type)
    if view == "tree" and len(rest) > 1:
        raise A2VError(f"{where}: is a folder inside of {repo}; name a file in it, or the whole repository")
    if not view and PurePosixPath(repo).suffix.lower() in WEIGHTS:
        return None  # a file of a mirror outside its repositories
    return HubFolder(repo, rest[0] if view == "tree" and rest else "main", repo_type)


def file_link(url: str) -> str:
    """The address of the file that a page shows; any other address unchanged."""
    for page, file in _FILE_PAGES:
        url = page.sub(file, url)
    return url


def _below_hub(where: str) -> list[str] | None:
    """The path components of an address on the hub; None for another host."""
    bare = _SCHEME.sub("", where, count=1)
    for host in (_SCHEME.sub("", endpoint()), *_HOSTS):
        if bare.lower().startswith(f"{host.lower()}/"):
            path = re.split(r"[?#]", bare[len(host) + 1 :])[0]
            return [unquote(part) for part in path.strip("/").split("/")]
    return None
