"""Texts of the nodes in other languages: what ComfyUI's front end looks up, and what is missing or stale.

    python -m tests.comfyui.locales      writes locales/en/nodeDefs.json anew from the nodes themselves, and
                                         prints what has to be added to or taken from the translations

English is written in the nodes; locales/en repeats it, so that translators see in its diff what has changed.
Every other locales/LANGUAGE/nodeDefs.json is written by hand and has the same keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from a2v_core.headless.server import find_comfyui, running_server
from tests.comfyui.driver import Comfy

LOCALES = Path(__file__).resolve().parents[2] / "locales"
LANGUAGES = sorted(folder.name for folder in LOCALES.iterdir())
# Widgets that the front end adds by itself, with what it calls them.
ADDED = {
    "control_after_generate": ("control_after_generate", "control after generate"),
    "audio_upload": ("upload", "choose file to upload"),
}
# What a translation has to keep: numbers, audio words, paths, and names of nodes and widgets in Latin script.
_FACTS = re.compile(r"<\w+>|models/\w+|\d+(?:\.\d+)?|[A-Z]{3,}")

Texts = dict[str, Any]


def english(object_info: dict[str, Any]) -> Texts:
    """nodeDefs.json in English, of our nodes as /object_info tells them."""
    nodes = {
        name: node for name, node in object_info.items() if node["python_module"].endswith("audio-to-video")
    }
    return {name: _node(node) for name, node in sorted(nodes.items())}


def _node(node: dict[str, Any]) -> Texts:
    inputs: Texts = {}
    for group in ("required", "optional"):
        for name in node["input_order"].get(group, []):
            _, options = node["input"][group][name]
            inputs[name] = {"name": name, "tooltip": options["tooltip"]}
            for option, (widget, label) in ADDED.items():
                if options.get(option):
                    inputs[widget] = {"name": label}
    outputs = {
        str(number): {"name": name, "tooltip": tooltip}
        for number, (name, tooltip) in enumerate(
            zip(node["output_name"], node["output_tooltips"], strict=True)
        )
    }
    about = {"display_name": node["display_name"], "description": node["description"]}
    return {**about, "inputs": inputs, "outputs": outputs}


def flat(texts: Texts, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(A.B.C, text) of every text."""
    for key, value in texts.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        else:
            yield ".".join((*path, key)), value


def read(language: str, file: str = "nodeDefs") -> Texts:
    texts: Texts = json.loads((LOCALES / language / f"{file}.json").read_text(encoding="utf-8"))
    return texts


def differences(wanted: Texts, language: str) -> str:
    """What to change in a translation, in words that can be followed; empty when nothing is."""
    have, want = dict(flat(read(language))), dict(flat(wanted))
    file = f"locales/{language}/nodeDefs.json"
    missing = [f"  {key}: {text!r}" for key, text in want.items() if key not in have]
    stale = [f"  {key}" for key in have if key not in want]
    lines = [f"add to {file}, translated from the English behind the colon:", *missing] if missing else []
    lines += [f"take out of {file}, the nodes no longer have it:", *stale] if stale else []
    return "\n".join(lines)


def lost_facts(wanted: Texts, language: str) -> str:
    """Translations that do not name the numbers, audio words and paths of their English text."""
    have = dict(flat(read(language)))
    lost = {
        key: sorted(set(_FACTS.findall(text)) - set(_FACTS.findall(have[key])))
        for key, text in flat(wanted)
        if key in have and not key.endswith(".name")
    }
    return "\n".join(f"{key} lacks {', '.join(facts)}: {have[key]}" for key, facts in lost.items() if facts)


def main() -> None:
    with running_server(find_comfyui(), own_models=True, cpu=True) as server:
        texts = english(Comfy(server).get("/object_info"))
    target = LOCALES / "en" / "nodeDefs.json"
    target.write_text(json.dumps(texts, indent=2) + "\n", encoding="utf-8")
    for language in LANGUAGES:
        print(differences(texts, language) or f"{language}: no key is missing or stale")
        print(lost_facts(texts, language))


if __name__ == "__main__":
    main()
