"""Google Drive: files of public folders, and links to a file as its sharing dialog gives them.

A public folder's listing is the page that Drive offers for embedding it. It is not a documented interface:
when it changes, the error says how to go on by hand.
"""

from __future__ import annotations

import html
import re

from .errors import NotThereError
from .remote import RemoteFile, get_text
from .sources import DriveFile

PAGES = "https://drive.google.com"
FILES = "https://drive.usercontent.google.com"

_ENTRY = re.compile(
    r'id="entry-([\w-]+)".*?href="[^"]*?(/drive/folders/|/file/d/)[^"]*".*?flip-entry-title">([^<]*)<',
    re.DOTALL,
)
_SHARED = re.compile(r"https://(?:drive|docs)\.google\.com/(?:file/d/|(?:open|uc)\?(?:.*&)?id=)([\w-]+)")


def drive_file(source: DriveFile, pages: str = PAGES, files: str = FILES) -> RemoteFile:
    """Find a file by its path below a folder. NotThereError when it is not there, or the page has changed."""
    folder = item = source.folder
    rest = source.path.split("/")
    for depth, name in enumerate(rest):
        listing = get_text(f"{pages}/embeddedfolderview?id={item}#list")
        link = "/file/d/" if depth == len(rest) - 1 else "/drive/folders/"
        found = {
            html.unescape(title).strip(): entry
            for entry, kind, title in _ENTRY.findall(listing)
            if kind == link
        }
        if name not in found:
            raise NotThereError(
                f"Google Drive does not show {source.path} in {pages}/drive/folders/{folder}: open that page "
                "in a browser, download the file there, and give it with --from"
            )
        item = found[name]
    return RemoteFile(url=_direct(item, files), path=rest[-1])


def direct_link(url: str) -> str:
    """A link from Drive's sharing dialog as the address of the file itself; any other address unchanged."""
    found = _SHARED.match(url)
    return _direct(found[1], FILES) if found else url


def _direct(item: str, files: str) -> str:
    # `confirm` skips the page "too large to be scanned for viruses".
    return f"{files}/download?id={item}&export=download&confirm=t"
