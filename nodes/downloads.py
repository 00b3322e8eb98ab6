"""The loaders' switch `download_if_missing`: published models by name, fetched only when it is on."""

from __future__ import annotations

import logging
from pathlib import Path, PurePath
from typing import Any

import folder_paths
from comfy_api.latest import io

from ..a2v_core.errors import A2VError
from ..a2v_core.models import Kind, Model, describe_plan, fetch, fetchable, make_plan, model_at
from ..a2v_core.places import WEIGHTS
from . import folders, runtime

_KINDS: dict[str, Kind] = {folders.ENCODERS: "beats", folders.MAPPERS: "mapper", folders.T2V_MODELS: "t2v"}
_UNIT = 1 << 10


def name_input(key: str, name: str, tooltip: str) -> Any:
    """The dropdown of a loader: what is there, published models that are not there yet, the bundled one."""
    local = folders.model_names(key)
    return io.Combo.Input(
        name,
        options=[*local, *missing_names(key, local), folders.BUNDLED],
        default=[*local, folders.BUNDLED][0],  # what a new node shows is always there
        tooltip=f"{tooltip} Published models that are not there yet stand before the bundled one.",
    )


def switch_input() -> Any:
    """The switch, last of a loader's widgets."""
    return io.Boolean.Input(
        "download_if_missing",
        default=False,
        optional=True,
        tooltip=(
            "Off: nothing is downloaded; running with a model that is not there says how large it is and "
            "under which licence. On: it is downloaded into ComfyUI's models folder when the node runs."
        ),
    )


def missing_names(key: str, local: list[str]) -> list[str]:
    """Published models that are not among the user's, under whatever ending and folder."""
    there = {_stem(name) for name in local}
    return [model.target for model in fetchable(_KINDS[key]) if _stem(model.target) not in there]


def check_model(key: str, name: str | None, download: bool | None) -> bool | str:
    """For `validate_inputs`: True, or why an entry of a loader's dropdown cannot be used.

    None means that another node sets the widget, or that it is missing: then there is nothing to say yet.
    """
    name = None if name is None else str(name)  # a prompt from outside may hold a number
    if name is None or (download is not False and _missing(key, name)):
        return True
    try:
        _path_or_advice(key, name)
    except A2VError as error:
        return str(error)
    return True


def model_path(key: str, name: str, download: bool) -> Path:
    """File or folder of a dropdown's entry, downloaded if it may be. A2VError when it is not to be had."""
    model = _missing(key, name)
    if model is None or not download:
        return _path_or_advice(key, name)
    plan = make_plan(model, Path(folder_paths.get_folder_paths(key)[0]))
    logging.info("audio-to-video: downloading, as download_if_missing is on\n%s", describe_plan(plan))
    progress = runtime.Progress(1)

    def report(done: int, total: int | None) -> None:
        progress(done // _UNIT, max((total or 2 * done) // _UNIT, 1))

    return fetch(plan, report)


def _missing(key: str, name: str) -> Model | None:
    """The published model of that name, if it is not there."""
    model = model_at(_KINDS[key], name)
    return model if model and not folders.find_model(key, name) else None


def _path_or_advice(key: str, name: str) -> Path:
    if model := _missing(key, name):
        raise A2VError(
            f"'{name}' is not in models/{key} yet. It is {model.title}: {size_of(model)}, licence "
            f"{model.licence}. Switch download_if_missing on in {model.place.node} to download it, or run: "
            f"python -m a2v_core.models fetch {model.name}, or get it from {model.page} and put it there"
        )
    return folders.model_path(key, name)


def size_of(model: Model) -> str:
    """The size of a download, where it is known beforehand."""
    return (
        f"{model.size / 1e6:.0f} MB"
        if model.size
        else "several GB"
        if model.kind == "t2v"
        else "about 130 MB"
    )


def _stem(name: str) -> str:
    # A folder's name may hold a dot, such as that of text-to-video-ms-1.7b.
    path = PurePath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in WEIGHTS else path.name
