"""The multipart form of an upload, for any file name."""

from __future__ import annotations

import re
from urllib.parse import quote

import aiohttp

NAME_BYTES = 248
"""Leaves room, within the 255 bytes of file systems, for the number of a second file of the same name."""


def file_form(name: str, content: bytes) -> aiohttp.MultipartWriter:
    """One file as ComfyUI's upload takes it, whatever characters its name holds.

    aiohttp percent-encodes a plain `filename`, takes it literally on the other side, and stumbles over
    quotes and semicolons; `filename*` (RFC 5987) is decoded. The plain one is for whatever knows no other.
    """
    name = stored_name(name)
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)
    form = aiohttp.MultipartWriter("form-data")
    part = form.append(content, {"Content-Type": "application/octet-stream"})
    part.headers["Content-Disposition"] = (
        f'form-data; name="image"; filename="{plain}"; filename*=UTF-8\'\'{quote(name, safe="")}'
    )
    return form


def stored_name(name: str) -> str:
    """A name that a server can store: undecodable bytes and control characters replaced, cut to NAME_BYTES
    before the ending."""
    name = re.sub("[\x00-\x1f\x7f\ud800-\udfff]", "_", name)
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > NAME_BYTES // 2:
        stem, dot, ending = name, "", ""
    room = NAME_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending
