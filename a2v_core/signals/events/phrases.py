"""Map files: what a prompt says for a sound, one line per label.

    Dog: a dog barks at the camera
    Male speech, man speaking = a man talks
    *: {label} is heard          # for all others

or the same as a JSON object. Labels count without regard to case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from ...errors import A2VError
from ...texts import read_text

OTHERS = "*"
_LINE = re.compile(r"""\s*(?P<label>"[^"]+"|'[^']+'|[^:=]+?)\s*(?:->|:|=)\s*(?P<phrase>.*?)\s*""")
_QUOTED = re.compile(r"""(["'])(.*)\1""")
_LABEL = re.compile(r"\{label\}", re.IGNORECASE)


class Phrases:
    """Label -> phrase. A label without one takes that of `*`, and without that itself."""

    def __init__(self, by_label: Mapping[str, str] | None = None) -> None:
        self._by_label = {label.strip().casefold(): phrase for label, phrase in (by_label or {}).items()}

    def __len__(self) -> int:
        return len(self._by_label)

    def phrase(self, label: str) -> str:
        """What to say for a label; `{label}` in a phrase is its name in lower case."""
        found = self._by_label.get(label.casefold(), self._by_label.get(OTHERS, "{label}"))
        return _LABEL.sub(lambda _: label.lower(), found)


def parse_phrases(text: str, name: str = "The map") -> Phrases:
    """Lines `label: phrase` (also `=`, `->`; `#` begins a comment), or a JSON object; A2VError for others."""
    if text.lstrip().startswith("{"):
        return Phrases(_from_json(text, name))
    table: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        if not content or content == "---":
            continue
        found = _LINE.fullmatch(content)
        if found is None:
            raise A2VError(
                f"{name}: line {number} is {content!r}; expected LABEL: PHRASE, as Dog: a dog barks"
            )
        table[_unquoted(found["label"])] = _unquoted(found["phrase"])
    return Phrases(table)


def read_phrases(path: Path) -> Phrases:
    """`parse_phrases` of a file in any UTF encoding. A2VError for one that cannot be read."""
    try:
        return parse_phrases(read_text(path), str(path))
    except OSError as error:
        raise A2VError(f"{path}: cannot be read ({error.strerror or error})") from error


def _from_json(text: str, name: str) -> dict[str, str]:
    try:
        table = json.loads(text)
    except json.JSONDecodeError as error:
        raise A2VError(f"{name}: is not JSON ({error}); expected an object of label: phrase") from error
    if not isinstance(table, dict) or not all(isinstance(phrase, str) for phrase in table.values()):
        raise A2VError(f"{name}: expected a JSON object whose values are texts, label: phrase")
    return table


def _unquoted(text: str) -> str:
    found = _QUOTED.fullmatch(text)
    return found[2] if found else text
