"""Hugging Face: which files a repository has, with their sizes and checksums, and where they are.

`huggingface_hub` says where its cache is and which token the user has; the bytes come through `transfer`, so
that resuming, checking and cancelling work alike for every source. HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE
are read when they are needed, not at import.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .addresses import endpoint
from .errors import DownloadError, NotThereError
from .remote import RemoteFile, check_online, get_text
from .sources import HubFile, HubFolder

_KINDS = {"model": "", "dataset": "datasets/", "space": "spaces/"}
_WEIGHTS = {
    "unet": ("diffusion_pytorch_model",),
    "vae": ("diffusion_pytorch_model",),
    "text_encoder": ("model", "pytorch_model"),
}
_INDEX = "model_index.json"
_SMALL = re.compile(
    r"(?:model_index\.json|README\.md|LICENSE[\w.]*"
    r"|(?:unet|vae|text_encoder)/config\.json|scheduler/[\w.]+\.json|tokenizer/[\w.]+\.(?:json|txt))"
)


def hub_file(source: HubFile) -> tuple[RemoteFile, str]:
    """A file of a repository, and the licence of its card ("" = none). In which folder it is does not matter.

    Raises NotThereError when the repository lacks it, DownloadError when the hub cannot be asked.
    """
    name = Path(source.path).name
    if cached := _cached(source.repo, source.path, source.revision, source.repo_type):
        return _from_disk(cached, name), ""
    about = _about(source.repo, source.revision, source.repo_type)
    entries = {entry["rfilename"]: entry for entry in about["siblings"]}
    exact = [path for path in entries if path == source.path]
    found = exact or [path for path in entries if path.endswith(f"/{source.path}")]
    if len(found) == 1:
        return _remote(about, source.repo, entries[found[0]], source.repo_type, name), _licence(about)
    if found:
        raise NotThereError(
            f"{source.repo} has several files {source.path}: {', '.join(found)}; name one of them"
        )
    raise NotThereError(f"{source.repo} on {endpoint()} has no file {source.path}{_at(source.revision)}")


def hub_folder(source: HubFolder, variant: str = "") -> tuple[tuple[RemoteFile, ...], str]:
    """The files of a text-to-video model that the loader needs, and the licence of its card.

    `variant` "fp16" prefers half precision. Errors as `hub_file`; NotThereError also for a repository that is
    not in the diffusers layout.
    """
    if (index := _cached(source.repo, _INDEX, source.revision, source.repo_type)) and _offline():
        folder = index.parent
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        chosen = choose(names, source.repo, variant)
        return tuple(_from_disk(folder / name, name) for name in chosen), ""
    about = _about(source.repo, source.revision, source.repo_type)
    entries = {entry["rfilename"]: entry for entry in about["siblings"]}
    chosen = choose(entries, source.repo, variant)
    files = tuple(_remote(about, source.repo, entries[name], source.repo_type, name) for name in chosen)
    return files, _licence(about)


def choose(names: Iterable[str], repo: str, variant: str = "") -> list[str]:
    """Of a repository's files those that make the model: one set of weights a part, in the loader's order.

    Safetensors before .bin. NotThereError when a part has no weights.
    """
    names = sorted(names)
    if _INDEX not in names:
        raise NotThereError(f"{repo}: is no model in the diffusers layout, it has no {_INDEX}")
    chosen = [name for name in names if _SMALL.fullmatch(name)]
    variants = (".fp16", "") if variant == "fp16" else ("", ".fp16")
    for part, stems in _WEIGHTS.items():
        sets = (
            _one_set(names, f"{part}/{stem}", kind, ending)
            for ending in (".safetensors", ".bin")
            for kind in variants
            for stem in stems
        )
        found = next((files for files in sets if files), None)
        if not found:
            raise NotThereError(
                f"{repo}: has no weights in {part}; expected {part}/{stems[0]}.safetensors or .bin"
            )
        chosen += found
    return chosen


def _one_set(names: list[str], stem: str, variant: str, ending: str) -> list[str]:
    """The single file, or the index with its pieces; empty when it is not there."""
    if (whole := f"{stem}{variant}{ending}") in names:
        return [whole]
    if (index := f"{stem}{variant}{ending}.index.json") not in names:
        return []
    number = r"-\d{5}-of-\d{5}"
    piece = re.compile(
        f"{re.escape(stem)}(?:{re.escape(variant)}{number}|{number}{re.escape(variant)}){ending}"
    )
    return [index, *(name for name in names if piece.fullmatch(name))]


def _about(repo: str, revision: str, repo_type: str) -> dict[str, Any]:
    """What the hub says of a repository: commit, files with sizes and checksums, card."""
    check_online()
    kind = _KINDS[repo_type] or "models/"
    url = f"{endpoint()}/api/{kind}{repo}/revision/{quote(revision, safe='')}?blobs=true"
    try:
        about = json.loads(get_text(url, _token()))
    except ValueError as error:
        if isinstance(error, DownloadError):
            raise
        raise DownloadError(f"{url}: the answer is not that of a hub; check HF_ENDPOINT") from error
    if not isinstance(about, dict) or not isinstance(about.get("siblings"), list):
        raise DownloadError(f"{url}: the answer is not that of a hub; check HF_ENDPOINT")
    return about | {"sha": about.get("sha") or revision}


def _remote(about: dict[str, Any], repo: str, entry: dict[str, Any], repo_type: str, path: str) -> RemoteFile:
    where = f"{_KINDS[repo_type]}{repo}/resolve/{about['sha']}/{quote(entry['rfilename'])}"
    big = entry.get("lfs") or {}
    return RemoteFile(
        url=f"{endpoint()}/{where}",
        path=path,
        size=big.get("size", entry.get("size")),
        sha256=big.get("sha256", ""),
        git_sha1="" if big else entry.get("blobId", ""),
        headers=_token(),
        local=_cached(repo, entry["rfilename"], about["sha"], repo_type),
    )


def _from_disk(path: Path, name: str) -> RemoteFile:
    return RemoteFile(url=path.as_uri(), path=name, size=path.stat().st_size, local=path)


def _cached(repo: str, path: str, revision: str, repo_type: str) -> Path | None:
    """The file in Hugging Face's own cache, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, path, revision=revision, repo_type=repo_type)
    return Path(found) if isinstance(found, str) else None


def _token() -> dict[str, str]:
    from huggingface_hub import get_token

    token = get_token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _licence(about: dict[str, Any]) -> str:
    card = about.get("cardData")
    found = card.get("license") if isinstance(card, dict) else None
    return found if isinstance(found, str) else ""


def _at(revision: str) -> str:
    return "" if revision == "main" else f" in revision {revision}"


def _offline() -> bool:
    try:
        check_online()
    except DownloadError:
        return True
    return False
