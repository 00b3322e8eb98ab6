"""Download plans: files, sizes, checksums, licence, destination and free space, before any download."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import A2VError
from ..places import ADAPTER_FOLDER, MODEL_INDEX, SAFETENSORS, T2V_DENOISER_FOLDERS, WEIGHTS
from .addresses import file_link
from .catalogue import Model
from .disk import check_folder, free_bytes
from .drive import direct_link, drive_file
from .errors import DownloadError, NotThereError
from .hub import hub_file, hub_folder, hub_with_adapter
from .own import own_source
from .remote import RemoteFile, check_online
from .sources import DriveFile, HubFile, HubFolder, HubWithAdapter, Source, WebFile
from .transfer import part_of

CONFIRM_BYTES = 50_000_000
"""Size of a download from which the command asks first."""


@dataclass(frozen=True)
class Plan:
    """A download that is about to be made.

    target   file or folder at the end
    files    what is to be downloaded; empty when `target` is installed already
    origin   their source, for the user
    licence  of the catalogue, else of the model card, else "unknown"
    free     bytes free on the disk of `target`
    """

    model: Model
    target: Path
    files: tuple[RemoteFile, ...]
    origin: str
    licence: str
    free: int

    @property
    def done(self) -> bool:
        return not self.files

    @property
    def size(self) -> int | None:
        """Bytes of all files; None when a server has not stated them."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def staging(self) -> Path:
        """Where the files of a text-to-video model are collected; renamed to `target` when complete."""
        return self.target if self.target.exists() else part_of(self.target)

    def path_of(self, file: RemoteFile) -> Path:
        """Where a file is downloaded to."""
        if self.model.kind == "t2v":
            return self.staging / file.path
        # Named like the target: files of several models have one name, such as learned_embeds.pth.
        ending = Path(file.path).suffix
        if ending == self.target.suffix:  # not under its final name before it is known to load
            ending = f".unchecked{ending}"
        return self.target.with_name(self.target.stem + ending)

    @property
    def received(self) -> int:
        """Bytes that are left of an earlier download."""
        targets = [self.path_of(file) for file in self.files]
        return sum(
            path.stat().st_size for target in targets for path in (target, part_of(target)) if path.is_file()
        )

    @property
    def needed(self) -> int:
        """Free bytes needed: for the rest of the download, and the converted file beside the original."""
        size = self.size or 0
        return max(size - self.received, 0) + (0 if self.model.kind == "t2v" else size)

    def report(self) -> dict[str, Any]:
        """The plan as JSON."""
        files = [
            {"path": file.path, "url": file.url, "bytes": file.size, "sha256": file.sha256 or None}
            for file in self.files
        ]
        return {
            "name": self.model.name,
            "kind": self.model.kind,
            "origin": self.origin,
            "target": str(self.target),
            "licence": self.licence,
            "bytes": self.size,
            "bytes_there": self.received,
            "bytes_free": self.free,
            "already_there": self.done,
            "files": files,
        }


def make_plan(model: Model, folder: Path, given: str = "", variant: str = "") -> Plan:
    """Find out what there is to download for `model` into `folder`; asks the network, downloads nothing.

    `given` replaces the model's own sources: a local file, an address, or a place on Hugging Face. `variant`
    "fp16" takes half-precision weights of a text-to-video model where there are both. The model's sources are
    tried in turn; DownloadError names why each of them failed, or why `folder` cannot be written.
    """
    target = folder / model.target
    free = free_bytes(folder)
    if is_installed(model, target):
        return Plan(model, target, (), str(target), model.licence, free)
    check_folder(folder)
    if target.is_file() or (target.is_dir() and model.kind != "t2v"):
        what, needed = ("file", "folder") if target.is_file() else ("folder", "file")
        raise DownloadError(f"{target}: is a {what}, and a {needed} has to come there; move it away")
    sources = (_given(model, given),) if given else model.sources
    if not sources:
        raise DownloadError(
            f"{model.name} has no address that a program can download from. Get it in a browser from "
            f"{model.page}, then: python -m a2v_core.models fetch {model.name} --from FILE"
        )
    failures: list[str] = []
    for source in sources:
        try:
            files, card_licence = _files(source, variant)
            expected = tuple(_expected(model, file) for file in files)
        except NotThereError as error:
            failures.append(str(error))
            continue
        licence = model.licence if model.licence != "unknown" else card_licence or "unknown"
        return Plan(model, target, expected, _origin(source), licence, free)
    raise DownloadError("; ".join(failures))


def is_installed(model: Model, target: Path) -> bool:
    """Whether a complete model is at `target` already."""
    if model.kind != "t2v":
        return target.is_file()
    denoisers = [part for part in T2V_DENOISER_FOLDERS if (target / part).is_dir()]
    adapter = [ADAPTER_FOLDER] if (target / ADAPTER_FOLDER).is_dir() else []
    parts = (*denoisers, *adapter, "vae", "text_encoder")
    return bool(denoisers and (target / MODEL_INDEX).is_file()) and all(
        any(_is_weights(file) for file in (target / part).glob("*")) for part in parts
    )


def _is_weights(file: Path) -> bool:
    weights = (SAFETENSORS, ".bin")
    return file.suffix.lower() in weights and not file.name.startswith(".") and file.is_file()


def _given(model: Model, given: str) -> Source | Path:
    path = Path(given).expanduser()
    if path.is_file() and model.kind != "t2v":
        return path.absolute()
    try:
        return own_source(model.kind, given)
    except A2VError as error:
        raise A2VError(f"{error}, or a file on this disk" if model.kind != "t2v" else str(error)) from error


def _files(source: Source | Path, variant: str) -> tuple[tuple[RemoteFile, ...], str]:
    if isinstance(source, Path):
        return (RemoteFile(source.as_uri(), source.name, source.stat().st_size, local=source),), ""
    if isinstance(source, HubFolder):
        return hub_folder(source, variant)
    if isinstance(source, HubWithAdapter):
        return hub_with_adapter(source, variant)
    if isinstance(source, HubFile):
        file, licence = hub_file(source)
        return (file,), licence
    check_online()
    if isinstance(source, DriveFile):
        return (drive_file(source),), ""
    return (RemoteFile(file_link(direct_link(source.url)), _file_name(source.url)),), ""


def _expected(model: Model, file: RemoteFile) -> RemoteFile:
    """The file with the catalogue's size and checksum. NotThereError when the server states others."""
    for what, known, stated in (("SHA-256", model.sha256, file.sha256), ("size", model.size, file.size)):
        if known and stated and known != stated:
            raise NotThereError(f"{file.url}: its {what} is {stated}, the published file's is {known}")
    return replace(file, sha256=model.sha256 or file.sha256, size=file.size or model.size)


def _file_name(url: str) -> str:
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    return name if Path(name).suffix.lower() in WEIGHTS else "download.pth"


def _origin(source: Source | Path) -> str:
    if isinstance(source, Path):
        return str(source)
    if isinstance(source, WebFile):
        return source.url
    if isinstance(source, DriveFile):
        return f"Google Drive folder {source.folder}: {source.path}"
    if isinstance(source, HubWithAdapter):
        return f"{_origin(source.pictures)}, with the motion adapter of {source.adapter.repo}"
    path = f": {source.path}" if isinstance(source, HubFile) else ""
    revision = "" if source.revision == "main" else f" at {source.revision}"
    return f"Hugging Face {source.repo}{revision}{path}"
