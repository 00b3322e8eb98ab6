"""Items before their captions are read: of a data set in a store each may be a request."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from a2v_core.errors import A2VError

from .found import Files
from .items import Item, Unusable

READERS = 16


class Draft(NamedTuple):
    """An item, and the name of the file with its caption; empty: the item has it, or there is none."""

    item: Item
    text: str = ""


def with_captions(files: Files, drafts: Iterable[Draft]) -> tuple[list[Item], list[Unusable]]:
    """The items with their captions, in order, and those whose caption cannot be read."""

    def read(draft: Draft) -> Item | Unusable:
        try:
            return replace(draft.item, caption=_caption(files, draft.text)) if draft.text else draft.item
        except A2VError as error:
            return Unusable(draft.item.id, str(draft.item.video), "unreadable caption", str(error))

    with ThreadPoolExecutor(READERS) as pool:
        done = list(pool.map(read, drafts))
    return [i for i in done if isinstance(i, Item)], [i for i in done if isinstance(i, Unusable)]


def facts_in(files: Files, name: str) -> dict[str, str]:
    """The texts in a .json of a shard. A2VError when it is no JSON object."""
    try:
        content = json.loads(files.text(name))
    except ValueError as error:
        raise A2VError(f"{files.files[name]}: is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise A2VError(f"{files.files[name]}: holds no JSON object; expected keys such as caption and label")
    return {key: value for key, value in content.items() if isinstance(value, str)}


def _caption(files: Files, name: str) -> str:
    return " ".join(files.text(name).split())
