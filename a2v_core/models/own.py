"""Models of the user's own: from an address, or from Hugging Face."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from ..errors import A2VError
from ..places import MODEL_INDEX, WEIGHTS
from .addresses import hub_source, is_address
from .catalogue import Kind, Model
from .sources import HubFile, HubFolder, WebFile


def own_model(kind: Kind, where: str, sha256: str = "", name: str = "") -> Model:
    """A user's own model: an http(s) address, `owner/name` or `owner/name/path/to/file` on Hugging Face.

    `name` is the file or folder to save it as, without ending; by default that of the source. A2VError for
    what is neither, and for a t2v model that is not a whole repository.
    """
    source = own_source(kind, where)
    stem = name or _stem(source)
    if not stem or "/" in stem or "\\" in stem or stem in (".", ".."):
        raise A2VError(f"'{stem}' is no name for a model file; name it with --name, without folders")
    if sha256 and isinstance(source, HubFolder):
        raise A2VError("A checksum is for one file; those of a whole repository are what the hub states")
    target = stem if kind == "t2v" else f"{stem}.safetensors"
    title = f"a {kind} model of yours"
    return Model(where, kind, title, target, (source,), page=where, sha256=sha256.lower())


def own_source(kind: Kind, where: str) -> HubFile | HubFolder | WebFile:
    """Where a user's own model is. A2VError as `own_model`."""
    found = hub_source(where) or (None if is_address(where) else _on_hub(where))
    if kind == "t2v":
        return _repository(found, where)
    if isinstance(found, HubFolder):
        raise A2VError(
            f"{where}: is a whole repository; a {kind} model is a file: expected an http(s) address or "
            f"owner/name/path/to/file, such as {found.repo}/model.pt"
        )
    if found is None and is_address(where):
        return WebFile(where)
    if found is None:
        raise A2VError(
            f"'{where}' is not where a {kind} model can be: expected an http(s) address or "
            "owner/name/path/to/file"
        )
    return found


def _repository(found: HubFile | HubFolder | None, where: str) -> HubFolder:
    if isinstance(found, HubFolder):
        return found
    if found is None and is_address(where):
        raise A2VError(f"{where}: a text-to-video model is a folder; name its Hugging Face repository")
    if found is None:
        raise A2VError(f"'{where}' is not where a t2v model can be: expected owner/name")
    if found.path == MODEL_INDEX:  # the file that makes a repository such a model
        return HubFolder(found.repo, found.revision, found.repo_type)
    raise A2VError(
        f"{where}: is one file; a text-to-video model is a whole repository: expected owner/name, such as "
        f"{found.repo}"
    )


def _on_hub(where: str) -> HubFile | HubFolder | None:
    """`owner/name` and `owner/name/path/to/file`."""
    parts = where.strip("/").split("/")
    if len(parts) < 2 or not all(parts) or ".." in parts:
        return None
    repo = "/".join(parts[:2])
    return HubFile(repo, "/".join(parts[2:])) if len(parts) > 2 else HubFolder(repo)


def _stem(source: HubFile | HubFolder | WebFile) -> str:
    """The default name of a model from its source; "" when the source does not show one."""
    if isinstance(source, HubFolder):
        return source.repo.rpartition("/")[2]
    path = PurePosixPath(source.path if isinstance(source, HubFile) else unquote(urlsplit(source.url).path))
    # Download links often end in "view" or "download", not in the name of the file.
    return path.stem if isinstance(source, HubFile) or path.suffix.lower() in WEIGHTS else ""
