"""Text substitutions of the front end before it sends a prompt: dynamic prompts, patterns in file names.

Source: `processDynamicPrompt`, `formatDate` and `applyTextReplacements` of ComfyUI_frontend 1.32.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import datetime

SAVE_NODE_TYPES = frozenset(
    {"SaveImage", "SaveVideo", "SaveAnimatedWEBP", "SaveWEBM", "SaveAudio", "SaveGLB", "SaveAnimatedPNG"}
    | {"CLIPSave", "VAESave", "ModelSave", "LoraSave", "SaveLatent"}
)
"""Nodes whose `filename_prefix` takes %date:...% and %node.widget%."""

_COMMENTS = re.compile(r"/\*[\s\S]*?\*/|//.*")
_DATE_PARTS = re.compile("dd?|MM?|hh?|mm?|ss?|yyy?y?")
_UNSAFE = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')


def choose_dynamic(text: str, rng: random.Random) -> str:
    """Replace every {a|b|c} by one of its choices, nested ones too; drop C comments. A backslash escapes."""
    return re.sub(r"\\([{}|])", r"\1", _choose(_COMMENTS.sub("", text), rng))


def _choose(text: str, rng: random.Random) -> str:
    result, index = "", 0
    while index < len(text):
        if text[index] == "\\":
            result += text[index : index + 2]
            index += 2
        elif text[index] == "{":
            picks, index = _split_choices(text, index + 1)
            result += _choose(rng.choice(picks), rng)
        else:
            result += text[index]
            index += 1
    return result


def _split_choices(text: str, index: int) -> tuple[list[str], int]:
    """The choices of the block that opened just before `index`, and the index after it."""
    picks, depth = [""], 0
    while index < len(text):
        char = text[index]
        if char == "\\":
            picks[-1] += text[index : index + 2]
            index += 2
            continue
        index += 1
        if char == "}" and depth == 0:
            break
        if char == "|" and depth == 0:
            picks.append("")
            continue
        depth += {"{": 1, "}": -1}.get(char, 0)
        picks[-1] += char
    return picks, index


def replace_patterns(text: str, look_up: Callable[[str, str], object], now: datetime) -> str:
    """Replace %date:yyyy-MM-dd% and %node.widget%; `look_up(node, widget)` gives None for an unknown one.

    Other patterns (such as %width%) are left for the server.
    """

    def replaced(match: re.Match[str]) -> str:
        parts = match.group(1).split(".")
        if len(parts) != 2:
            return format_date(parts[0][5:], now) if parts[0].startswith("date:") else match.group(0)
        value = look_up(parts[0], parts[1])
        return match.group(0) if value is None else _UNSAFE.sub("_", str(value))

    return re.sub(r"%([^%]+)%", replaced, text)


def format_date(pattern: str, now: datetime) -> str:
    """`pattern` with d, M, h (0-23), m, s, yy and yyyy filled in; a doubled letter pads to two digits."""
    values = {"d": now.day, "M": now.month, "h": now.hour, "m": now.minute, "s": now.second}

    def part(match: re.Match[str]) -> str:
        found = match.group(0)
        if found == "yy":
            return f"{now.year % 100:02}"
        if found == "yyyy":
            return str(now.year)
        return str(values[found[0]]).rjust(len(found), "0") if found[0] in values else found

    return _DATE_PARTS.sub(part, pattern)
