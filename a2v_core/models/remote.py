"""One file to download, and the requests that all sources share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .addresses import on_hub
from .errors import DownloadError, NotThereError

CONNECT_SECONDS, READ_SECONDS = 10, 30
_TRUE = {"1", "ON", "YES", "TRUE"}


@dataclass(frozen=True)
class RemoteFile:
    """A file on a server.

    url       its address
    path      where it belongs below the model's folder; the name of the file for a model of one file
    size      bytes; None = unknown until the server answers
    sha256    expected checksum; "" = unknown
    git_sha1  the blob id that git hosts state for small files; "" = unknown
    headers   sent to the host of `url` only, never on to where it redirects (tokens)
    local     the same file on this disk, such as in Hugging Face's cache, to be copied
    """

    url: str
    path: str
    size: int | None = None
    sha256: str = ""
    git_sha1: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    local: Path | None = None


def check_online() -> None:
    """DownloadError when the user has set an offline mode."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(name, "").strip().upper() in _TRUE:
            raise DownloadError(
                f"{name} is set, so nothing is downloaded; unset it, or put the file there by hand"
            )


def get(url: str, headers: Mapping[str, str] | None = None) -> Any:
    """An open `requests` response to GET, body not read yet; close it. Errors of requests pass through."""
    import requests

    sent = {"User-Agent": "audio-to-video", "Accept-Encoding": "identity", **(headers or {})}
    return requests.get(url, headers=sent, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS))


def get_text(url: str, headers: Mapping[str, str] | None = None) -> str:
    """The text at an address. DownloadError when there is none."""
    import requests

    try:
        with get(url, headers) as answer:
            refuse_status(answer, url, headers)
            return str(answer.text)
    except requests.RequestException as error:
        raise DownloadError(f"{host_of(url)} cannot be reached: {cause(error)}; check the network") from error


def refuse_status(answer: Any, url: str, sent: Mapping[str, str] | None = None) -> None:
    """Raise DownloadError for an HTTP status above 399 of the request for `url` with the headers `sent`."""
    status = answer.status_code
    if status < 400:
        return
    if status in (401, 403):
        reason = answer.headers.get("X-Error-Message", "").strip().rstrip(".")
        raise NotThereError(
            f"{url}: the server refuses access (HTTP {status}{': ' if reason else ''}{reason}). "
            + _access_hint(url, str(answer.url), "Authorization" in (sent or {}))
        )
    if status in (404, 410):
        raise NotThereError(
            f"{url}: the server has no such file (HTTP {status}); it has moved or is misspelt"
        )
    raise DownloadError(f"{url}: the server answers HTTP {status}; try again later")


def _access_hint(url: str, end: str, with_token: bool) -> str:
    """What to do about a refusal at `end`, where the server has redirected `url` to."""
    if not on_hub(url):
        return "If it wants a login, get the file in a browser, and give it with --from"
    if host_of(end) != host_of(url):
        return f"{host_of(end)} says so, where the hub keeps its files; try again later"
    if with_token:
        return (
            "The token that was sent (HF_TOKEN, or that of `hf auth login`) does not open it: accept the "
            "terms on the model's page with the same account, and let the token read gated repositories"
        )
    return (
        "No token was sent: if the model is gated, accept the terms on its page and set HF_TOKEN to a token "
        "of yours; otherwise check how it is spelt"
    )


def host_of(url: str) -> str:
    """The host of an address, with its port."""
    return url.split("://", 1)[-1].split("/", 1)[0]


def cause(error: BaseException) -> str:
    """The innermost reason of a failed request, in one line."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error).splitlines()[0] if str(error) else type(error).__name__
