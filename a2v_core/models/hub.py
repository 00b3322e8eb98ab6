"""Hugging Face: which files a repository has, with their sizes and checksums, and where they are.

`huggingface_hub` only finds files in its cache and the user's token; downloads go through `transfer`, so that
resuming, checking and cancelling work alike for every source. HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE
are read when they are needed, not at import.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..places import ADAPTER_FOLDER, MODEL_INDEX, PART_CONFIG, T2V_DENOISER_FOLDERS
from .addresses import endpoint
from .errors import DownloadError, NotThereError
from .remote import RemoteFile, check_online, get_text
from .sources import HubFile, HubFolder, HubWithAdapter

_TYPE_PREFIXES = {"model": "", "dataset": "datasets/", "space": "spaces/"}
_STEMS = ("diffusion_pytorch_model",)
_TEXT_STEMS = ("model", "pytorch_model")
_CONFIG_FILES = re.compile(
    r"(?:model_index\.json|README\.md|LICENSE[\w.]*"
    r"|(?:unet|transformer|transformer_2|vae|text_encoder)/config\.json"
    r"|scheduler/[\w.]+\.json|tokenizer/[\w.]+\.(?:json|txt|model))"
)


def hub_file(source: HubFile) -> tuple[RemoteFile, str]:
    """A file of a repository, in whatever folder there, and the licence of its model card ("" = none).

    Raises NotThereError when the repository lacks it, DownloadError when the hub cannot be asked.
    """
    name = Path(source.path).name
    if cached := _cached(source.repo, source.path, source.revision, source.repo_type):
        return _from_disk(cached, name), ""
    info = _repo_info(source.repo, source.revision, source.repo_type)
    entries = {entry["rfilename"]: entry for entry in info["siblings"]}
    exact = [path for path in entries if path == source.path]
    found = exact or [path for path in entries if path.endswith(f"/{source.path}")]
    if len(found) == 1:
        return _remote(info, source.repo, entries[found[0]], source.repo_type, name), _licence(info)
    if found:
        raise NotThereError(
            f"{source.repo} has several files {source.path}: {', '.join(found)}; name one of them"
        )
    raise NotThereError(
        f"{source.repo} on {endpoint()} has no file {source.path}{_in_revision(source.revision)}"
    )


def hub_folder(source: HubFolder, variant: str = "") -> tuple[tuple[RemoteFile, ...], str]:
    """The files of a text-to-video model that the loader needs, and the licence of its model card.

    `variant` "fp16" prefers half precision. Errors as `hub_file`; NotThereError also for a repository that is
    not in the diffusers layout.
    """
    return _chosen(source, MODEL_INDEX, lambda names: choose_files(names, source.repo, variant))


def hub_with_adapter(source: HubWithAdapter, variant: str = "") -> tuple[tuple[RemoteFile, ...], str]:
    """The files of a model for pictures, and in its folder for that those of a motion adapter; the licences.

    Errors as `hub_folder`.
    """
    pictures, licence = hub_folder(source.pictures, variant)
    adapter, other = _chosen(
        source.adapter, PART_CONFIG, lambda names: choose_adapter(names, source.adapter.repo, variant)
    )
    inside = tuple(replace(file, path=f"{ADAPTER_FOLDER}/{file.path}") for file in adapter)
    return pictures + inside, "; ".join(name for name in (licence, other) if name)


def _chosen(
    source: HubFolder, mark: str, choose: Callable[[Iterable[str]], list[str]]
) -> tuple[tuple[RemoteFile, ...], str]:
    """The files of a repository that `choose` takes, and its licence; `mark` is one that it always has."""
    if (found := _cached(source.repo, mark, source.revision, source.repo_type)) and _offline():
        folder = found.parent
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        return tuple(_from_disk(folder / name, name) for name in choose(names)), ""
    info = _repo_info(source.repo, source.revision, source.repo_type)
    entries = {entry["rfilename"]: entry for entry in info["siblings"]}
    files = (_remote(info, source.repo, entries[name], source.repo_type, name) for name in choose(entries))
    return tuple(files), _licence(info)


def choose_files(names: Iterable[str], repo: str, variant: str = "") -> list[str]:
    """The files of a repository that the model needs: configs, and one set of weights for each part.

    Safetensors are preferred to .bin. NotThereError when a part has no weights.
    """
    names = sorted(names)
    if MODEL_INDEX not in names:
        raise NotThereError(f"{repo}: is no model in the diffusers layout, it has no {MODEL_INDEX}")
    chosen = [name for name in names if _CONFIG_FILES.fullmatch(name)]
    denoisers = [part for part in T2V_DENOISER_FOLDERS if any(name.startswith(f"{part}/") for name in names)]
    for part in (*(denoisers or T2V_DENOISER_FOLDERS[:1]), "vae", "text_encoder"):
        stems = _TEXT_STEMS if part == "text_encoder" else _STEMS
        chosen += _weights(names, repo, part, [f"{part}/{stem}" for stem in stems], variant)
    return chosen


def choose_adapter(names: Iterable[str], repo: str, variant: str = "") -> list[str]:
    """The files of a repository of a motion adapter. NotThereError when it is none."""
    names = sorted(names)
    if PART_CONFIG not in names:
        raise NotThereError(f"{repo}: is no motion adapter in the diffusers layout, it has no {PART_CONFIG}")
    return [PART_CONFIG, *_weights(names, repo, "it", list(_STEMS), variant)]


def _weights(names: list[str], repo: str, part: str, stems: list[str], variant: str) -> list[str]:
    """One set of weights of a part, whose files are called like one of `stems`."""
    variants = (".fp16", "") if variant == "fp16" else ("", ".fp16")
    sets = (
        _one_set(names, stem, kind, ending)
        for ending in (".safetensors", ".bin")
        for kind in variants
        for stem in stems
    )
    found = next((files for files in sets if files), None)
    if not found:
        raise NotThereError(f"{repo}: has no weights in {part}; expected {stems[0]}.safetensors or .bin")
    return found


def _one_set(names: list[str], stem: str, variant: str, ending: str) -> list[str]:
    """The single file, or the index with its shards; empty without either."""
    if (whole := f"{stem}{variant}{ending}") in names:
        return [whole]
    if (index := f"{stem}{variant}{ending}.index.json") not in names:
        return []
    number = r"-\d{5}-of-\d{5}"
    shard = re.compile(
        f"{re.escape(stem)}(?:{re.escape(variant)}{number}|{number}{re.escape(variant)}){ending}"
    )
    return [index, *(name for name in names if shard.fullmatch(name))]


def _repo_info(repo: str, revision: str, repo_type: str) -> dict[str, Any]:
    """The hub's metadata of a repository: commit, files with sizes and checksums, model card."""
    check_online()
    kind = _TYPE_PREFIXES[repo_type] or "models/"
    url = f"{endpoint()}/api/{kind}{repo}/revision/{quote(revision, safe='')}?blobs=true"
    try:
        info = json.loads(get_text(url, _token()))
    except ValueError as error:
        if isinstance(error, DownloadError):
            raise
        raise DownloadError(f"{url}: the answer is not that of a hub; check HF_ENDPOINT") from error
    if not isinstance(info, dict) or not isinstance(info.get("siblings"), list):
        raise DownloadError(f"{url}: the answer is not that of a hub; check HF_ENDPOINT")
    return info | {"sha": info.get("sha") or revision}


def _remote(info: dict[str, Any], repo: str, entry: dict[str, Any], repo_type: str, path: str) -> RemoteFile:
    where = f"{_TYPE_PREFIXES[repo_type]}{repo}/resolve/{info['sha']}/{quote(entry['rfilename'])}"
    lfs = entry.get("lfs") or {}
    return RemoteFile(
        url=f"{endpoint()}/{where}",
        path=path,
        size=lfs.get("size", entry.get("size")),
        sha256=lfs.get("sha256", ""),
        git_sha1="" if lfs else entry.get("blobId", ""),
        headers=_token(),
        local=_cached(repo, entry["rfilename"], info["sha"], repo_type),
    )


def _from_disk(path: Path, name: str) -> RemoteFile:
    return RemoteFile(url=path.as_uri(), path=name, size=path.stat().st_size, local=path)


def _cached(repo: str, path: str, revision: str, repo_type: str) -> Path | None:
    """The file in Hugging Face's own cache, or None."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, path, revision=revision, repo_type=repo_type)
    return Path(found) if isinstance(found, str) else None


def _token() -> dict[str, str]:
    from huggingface_hub import get_token

    token = get_token()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _licence(info: dict[str, Any]) -> str:
    card = info.get("cardData")
    found = card.get("license") if isinstance(card, dict) else None
    return found if isinstance(found, str) else ""


def _in_revision(revision: str) -> str:
    return "" if revision == "main" else f" in revision {revision}"


def _offline() -> bool:
    try:
        check_online()
    except DownloadError:
        return True
    return False
