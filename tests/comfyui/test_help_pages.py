"""The help pages in every language, and their pictures, which hold a graph that opens on the canvas."""

from __future__ import annotations

import json
import re
import urllib.request
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from a2v_core.headless import to_api
from scripts.help_graphs import GRAPHS
from tests.comfyui.driver import Comfy
from tests.comfyui.locales import LANGUAGES, read

DOCS = Path(__file__).resolve().parents[2] / "web" / "docs"
NODES = sorted(read("en"))
FACTS = re.compile(r"`[^`]+`|\d+(?:\.\d+)?")
MOST_BYTES = 1_500_000


def address(node: str, language: str) -> str:
    """Where the front end looks first for the page of a language; English is what it falls back to."""
    return f"{node}.md" if language == "en" else f"{node}/{language}.md"


def served(comfy: Comfy, path: str) -> bytes:
    with urllib.request.urlopen(
        f"{comfy.server.url}/extensions/audio-to-video/docs/{path}", timeout=60
    ) as answer:
        data: bytes = answer.read()
    return data


def first_cells(page: str) -> set[str]:
    """Names in the first column of the tables."""
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("|")]
    return set(re.findall(r"`([\w<>]+)`", "\n".join(rows)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("node", NODES)
def test_a_page_names_the_node_and_all_its_sockets(comfy: Comfy, node: str, language: str) -> None:
    page = served(comfy, address(node, language)).decode("utf-8")
    assert page.startswith(f"# {read(language)[node]['display_name']}\n")
    info = comfy.get(f"/object_info/{node}")[node]
    names = {name for group in ("required", "optional") for name in info["input"].get(group, {})}
    missing = sorted((names | set(info["output_name"])) - first_cells(page))
    assert not missing, f"web/docs/{address(node, language)}: add a row each for {', '.join(missing)}"
    gone = sorted(first_cells(page) - names - set(info["output_name"]) - set(other_names(page)))
    assert not gone, f"web/docs/{address(node, language)}: the node has no {', '.join(gone)}"


def other_names(page: str) -> list[str]:
    """Words and variants, which have tables of their own behind those of inputs and outputs."""
    tables = re.split(r"\n\n", page)
    others = [
        table for table in tables if re.match(r"\| (Word|Variant|Row|\u8bcd|\u7248\u672c|\u884c) \|", table)
    ]
    return [name for table in others for name in first_cells(table)]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
@pytest.mark.parametrize("node", NODES)
def test_a_translation_says_no_less(node: str, language: str) -> None:
    """Every number, name in code and link of the English page is in the translation."""
    english, other = ((DOCS / address(node, name)).read_text("utf-8") for name in ("en", language))
    lost = sorted(set(FACTS.findall(english)) - set(FACTS.findall(other)))
    assert not lost, f"web/docs/{address(node, language)} lacks {', '.join(lost)}"
    links = re.findall(r"\]\(([^)]+)\)", english)
    assert links == re.findall(r"\]\(([^)]+)\)", other)


@pytest.mark.parametrize("node", NODES)
def test_the_picture_holds_a_graph_of_the_node(comfy: Comfy, node: str) -> None:
    """Made by `python -m scripts.help_pictures`; make it anew when the node's widgets change."""
    picture = Image.open(BytesIO(served(comfy, f"images/{node}.png")))
    assert 300 < picture.width <= 900
    assert picture.height < 900
    graph: dict[str, Any] = json.loads(picture.info["workflow"])
    info = comfy.get("/object_info")
    api = to_api(graph, info)
    kinds = {entry["class_type"] for entry in api.values()}
    assert node in kinds
    assert kinds == {kind for kind, _, _ in GRAPHS[node].nodes.values()}
    (own,) = [entry for entry in graph["nodes"] if entry["type"] == node]
    assert own["properties"]["cnr_id"] == "audio-to-video"


def test_every_node_has_a_picture_and_they_are_small() -> None:
    pictures = sorted((DOCS / "images").iterdir())
    assert [path.name for path in pictures] == [f"{node}.png" for node in NODES]
    assert sum(path.stat().st_size for path in pictures) < MOST_BYTES
    assert sorted(GRAPHS) == NODES
