"""Workflows embedded in the files that ComfyUI saves: images, videos, sounds, latents.

Core writes two texts, `workflow` (as the front end saves it) and `prompt` (in API format): into PNG texts,
the EXIF of WebP ("workflow:{...}"), the tags of MP4, MKV, FLAC, MP3 and Opus, the header of safetensors, an
element of SVG. VideoHelperSuite writes both into the tag `comment`.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import MediaError, WorkflowError

Graphs = dict[str, Any]
"""`workflow` and `prompt`, those that a file holds."""

_SVG_METADATA = re.compile(r"<metadata>\s*<!\[CDATA\[(.*?)\]\]>", re.DOTALL)


def graphs_in_file(path: Path) -> Graphs:
    """The graphs in a binary file; empty if it has none. WorkflowError if it cannot be read."""
    for tags in (_picture_tags(path), _tensor_tags(path), _media_tags(path)):
        if tags is not None:
            return _graphs(tags)
    raise WorkflowError(
        f"workflow file {path} cannot be read: it is neither JSON nor a picture, video or sound that holds a "
        "workflow. Save it again from ComfyUI."
    )


def graphs_in_svg(text: str) -> Graphs:
    """The graphs in an SVG file."""
    found = _SVG_METADATA.search(text)
    return _graphs({"comment": found.group(1)}) if found else {}


def _graphs(tags: dict[str, str]) -> Graphs:
    """The graphs among a file's metadata tags, whose names are case-insensitive."""
    tags = {name.lower(): text for name, text in tags.items()}
    comment = _parsed(tags.get("comment", ""))
    found = {name: comment[name] for name in ("workflow", "prompt") if name in comment}
    found |= {name: tags[name] for name in ("workflow", "prompt") if name in tags}
    graphs = {name: _parsed(graph) if isinstance(graph, str) else graph for name, graph in found.items()}
    return {name: graph for name, graph in graphs.items() if graph}


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return data if isinstance(data, dict) else {}


def _picture_tags(path: Path) -> dict[str, str] | None:
    """The text chunks and EXIF of an image; None if the file is no image."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(path)
    except UnidentifiedImageError:
        return None
    except (Image.DecompressionBombError, ValueError) as error:
        raise WorkflowError(
            f"{path} cannot be read: {error}. Save its workflow as JSON in ComfyUI."
        ) from error
    exif = Image.Exif()
    with picture:
        with contextlib.suppress(OSError, SyntaxError, ValueError):  # truncated: use what is read so far
            picture.load()  # PNG may have text chunks after the pixels
        with contextlib.suppress(SyntaxError):
            exif.load(picture.info.get("exif") or b"")
        return dict(_texts(picture, exif))


def _texts(picture: Any, exif: Mapping[int, Any]) -> Iterator[tuple[str, str]]:
    yield from ((name, text) for name, text in picture.info.items() if isinstance(text, str))
    for chunk in getattr(picture, "private_chunks", []):
        if chunk[0] == b"comf":  # core's animated PNG
            name, _, text = chunk[1].decode("latin-1").partition("\0")
            yield name, text
    for entry in exif.values():
        if isinstance(entry, str):
            name, _, text = entry.partition(":")
            yield name, text


def _tensor_tags(path: Path) -> dict[str, str] | None:
    """The metadata of a safetensors file; None if the file is none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return dict(file.metadata() or {})
    except SafetensorError:
        return None


def _media_tags(path: Path) -> dict[str, str] | None:
    """The tags of a video or sound; None if the file is none."""
    from ...media import media_tags

    try:
        return media_tags(path)
    except MediaError:
        return None
