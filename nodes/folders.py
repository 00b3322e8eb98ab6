"""Model folders and dropdowns: the user's files first, what ships with the pack last.

`a2v_core/places.py` says which folder holds what. Further places come from extra_model_paths.yaml under the
same names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import folder_paths

from ..a2v_core import comfyui
from ..a2v_core.demo import DEMO, demo_path
from ..a2v_core.errors import A2VError, CheckpointError, MediaError
from ..a2v_core.media import SOUND_ENDINGS, VIDEO_ENDINGS
from ..a2v_core.places import (
    ADAPTER,
    BEATS,
    LORA,
    MAPPER,
    MODEL_INDEX,
    PLACES,
    T2V_FOLDER,
    holds_model,
    place_of,
)

BUNDLED = "demo (bundled)"
BUNDLED_SOUND = BUNDLED + ": "

ENCODERS, MAPPERS, ADAPTERS, T2V_MODELS, LORAS = (
    place_of(kind).folder for kind in (BEATS, MAPPER, ADAPTER, T2V_FOLDER, LORA)
)
NO_LORA = "none"

_BUNDLED = {place.folder: place for place in PLACES if place.demo}
# Sound and video that mimetypes does not know on every system.
_MEDIA = {
    *(*SOUND_ENDINGS, ".aif", ".aiff", ".amr", ".caf", ".mka", ".oga", ".opus", ".rf64", ".w64", ".wma"),
    *(*VIDEO_ENDINGS, ".flv", ".m2ts", ".mts", ".ts", ".wmv"),
}
_OWN = (MAPPER, ADAPTER, T2V_FOLDER)  # kinds whose folders ComfyUI has not by itself
_BUNDLED_FILES = ("diffusion_models", "vae", ADAPTERS)  # of the bundled Wan, which core's own loaders load
_DEEPEST = 3  # such as author/model/version


def register_model_folders() -> None:
    """Tell ComfyUI of our model folders, beside those a user's extra_model_paths.yaml has already named."""
    for place in map(place_of, _OWN):
        key = place.folder
        folder_paths.add_model_folder_path(key, os.path.join(folder_paths.models_dir, key))
        paths, known = folder_paths.folder_names_and_paths[key]
        # ComfyUI lists every file of a folder without endings.
        folder_paths.folder_names_and_paths[key] = (paths, {*known, *place.endings})
    for key in _BUNDLED_FILES:
        # A folder that is missing is an empty one: a pack that was not copied whole still has its nodes.
        folder_paths.add_model_folder_path(key, str(DEMO / "wan" / key))


def model_names(key: str) -> list[str]:
    """The user's models of a kind, for the dropdown of a loader."""
    if key == T2V_MODELS:
        return sorted(_t2v_folders())
    return [name for name in folder_paths.get_filename_list(key) if not _hidden(Path(name))]


def bundled_names(key: str) -> list[str]:
    """What ships with the pack of a kind, for the end of its dropdown: one name, or none."""
    return [BUNDLED] if key in _BUNDLED else []


def find_model(key: str, name: str) -> Path | None:
    """File or folder of one of the user's models, or None."""
    found = _t2v_folders().get(name) if key == T2V_MODELS else _model_file(key, name)
    return None if found is None else Path(found)


def check_entry(key: str, name: str | None) -> bool | str:
    """For `validate_inputs`: True, or what is wrong with an entry of a dropdown."""
    nothing = (None, NO_LORA) if key == LORAS else (None,)
    try:
        return name in nothing or bool(model_path(key, str(name)))
    except A2VError as error:
        return str(error)


def model_path(key: str, name: str) -> Path:
    """File or folder of a dropdown's entry. CheckpointError when it is gone."""
    bundled = bundled_names(key)
    if name in bundled:
        return demo_path(_BUNDLED[key].demo)
    found = find_model(key, name)
    if found is None:
        places = ", ".join(folder_paths.get_folder_paths(key))
        always = [NO_LORA] if key == LORAS else bundled
        raise CheckpointError(
            f"'{name}' is not in models/{key} (looked in {places}). Put it there and press R to refresh the "
            "list, or choose another entry" + "".join(f"; '{entry}' is always there" for entry in always)
        )
    return found


def clip_tokenizer() -> Path:
    """The folder of the tokenizer that ComfyUI has for Stable Diffusion 1.x."""
    return comfyui.clip_tokenizer(Path(folder_paths.__file__).resolve().parent)


def sound_names() -> list[str]:
    """Sound and video files of the input folder, then the sounds that ship with the pack."""
    folder = folder_paths.get_input_directory()
    names = os.listdir(folder) if os.path.isdir(folder) else []
    files = [name for name in names if os.path.isfile(os.path.join(folder, name)) and not _hidden(Path(name))]
    known = folder_paths.filter_files_content_types(files, ["audio", "video"])
    sounds = {*known, *(name for name in files if Path(name).suffix.lower() in _MEDIA)}
    return [*sorted(sounds), *(BUNDLED_SOUND + path.name for path in sorted(_bundled_sounds()))]


def sound_path(name: str) -> Path:
    """File of a dropdown's entry, or of an uploaded one. MediaError when there is none."""
    if name.startswith(BUNDLED_SOUND):
        bundled = {path.name: path for path in _bundled_sounds()}
        if found := bundled.get(name.removeprefix(BUNDLED_SOUND)):
            return found
        raise MediaError(
            f"'{name}' is not among the bundled sounds: {', '.join(sorted(bundled)) or 'there are none'}"
        )
    path = _input_file(name)
    places = map(folder_paths.get_directory_by_type, ("input", "output", "temp"))
    if not path or not any(path.is_relative_to(os.path.abspath(place)) for place in places):
        raise MediaError(f"'{name}' is not in ComfyUI's input folder; upload it, or choose another sound")
    return path


def input_file(name: str, node: str) -> Path:
    """A file of the input folder by its name. A2VError when there is none."""
    path = _input_file(name)
    folder = os.path.abspath(folder_paths.get_input_directory())
    if path is None or not path.is_relative_to(folder):
        raise A2VError(f"{node}: '{name}' is not in ComfyUI's input folder ({folder}); put it there")
    return path


def check_sound(name: str | None) -> bool | str:
    """For `validate_inputs`: True, or why an entry of Load Audio's dropdown cannot be used.

    None means that another node sets the widget, here and below: then there is nothing to say yet.
    """
    if name is not None:
        try:
            sound_path(str(name))  # a prompt from outside may hold a number
        except A2VError as error:
            return str(error)
    return True


def model_stamp(key: str, name: str | None) -> str:
    """For `fingerprint_inputs`: changes when the file or folder of a loader's entry changes."""
    return "" if name is None else _stamp(lambda: model_path(key, name))


def sound_stamp(name: str | None) -> str:
    """The same for the dropdown of Load Audio."""
    return "" if name is None else _stamp(lambda: sound_path(name))


def _hidden(path: Path) -> bool:
    """Whether a path below a folder is of no model or sound: what macOS notes (._x) and unfinished files."""
    return any(part.startswith(".") for part in path.parts)


def _input_file(name: str) -> Path | None:
    try:
        path = Path(os.path.abspath(folder_paths.get_annotated_filepath(name)))
    except ValueError:  # newer versions of ComfyUI refuse paths that lead out of its folders
        return None
    return path if path.is_file() else None


def _model_file(key: str, name: str) -> str | None:
    _, endings = folder_paths.folder_names_and_paths[key]
    return folder_paths.get_full_path(key, name) if Path(name).suffix.lower() in endings else None


def _stamp(find: Callable[[], Path]) -> str:
    try:
        path = find()
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        return " ".join(f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files)
    except (A2VError, OSError):  # running the node says what is wrong
        return ""


def _bundled_sounds() -> list[Path]:
    try:
        return list(demo_path("sounds").glob("*.wav"))
    except A2VError:  # a pack that was not copied whole still has its nodes
        return []


def _t2v_folders() -> dict[str, Path]:
    """Name -> folder of every model; of two with one name the first counts."""
    found: dict[str, Path] = {}
    for root in map(Path, folder_paths.get_folder_paths(T2V_MODELS)):
        for folder in _model_folders(root):
            name = root.name if folder == root else folder.relative_to(root).as_posix()
            found.setdefault(name, folder)
    return found


def _model_folders(root: Path) -> Iterator[Path]:
    for place, below, files in os.walk(root, followlinks=True):
        folder = Path(place)
        below[:] = [name for name in below if not _hidden(Path(name))]
        # Single files make no model of the folder that all models are in.
        if MODEL_INDEX in files or (folder != root and holds_model(files)):
            yield folder
        if MODEL_INDEX in files or len(folder.relative_to(root).parts) >= _DEEPEST:
            below.clear()
