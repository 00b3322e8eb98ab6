"""The texts of the nodes in every language: none missing, none stale, and ComfyUI hands them out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.comfyui.driver import Comfy
from tests.comfyui.locales import LANGUAGES, LOCALES, differences, english, flat, lost_facts, read

# Letters that vue-i18n, which shows the texts, reads as its own.
RESERVED = re.compile(r"[{}@|$]")
TRANSLATIONS = [language for language in LANGUAGES if language != "en"]


@pytest.fixture(scope="module")
def texts(comfy: Comfy) -> dict[str, Any]:
    return english(comfy.get("/object_info"))


def test_english_repeats_the_nodes(texts: dict[str, Any]) -> None:
    assert read("en") == texts, (
        "locales/en/nodeDefs.json is not what the nodes say. Write it anew: python -m tests.comfyui.locales\n"
        + differences(texts, "en")
    )


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_key_is_missing_or_stale(texts: dict[str, Any], language: str) -> None:
    change = differences(texts, language)
    assert not change, f"\n{change}"


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_translations_keep_the_facts(texts: dict[str, Any], language: str) -> None:
    lost = lost_facts(texts, language)
    assert not lost, f"\n{lost}\nThe English has changed, or a number, audio word or path was left out."


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_everything_is_translated(language: str) -> None:
    """Texts are in the language's own script; names may be proper names."""
    for key, text in flat(read(language)):
        assert text.strip() == text != "", key
        assert key.endswith("name") or re.search(r"[\u4e00-\u9fff]", text), f"{key} is not translated: {text}"
        for english_quote in ('"', " ,", ", ", "; "):
            assert english_quote not in re.sub(r"\[.*?\]", "", text), f"{key} has Latin punctuation: {text}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_front_end_can_show_them(language: str) -> None:
    for file in ("nodeDefs", "main"):
        for key, text in flat(read(language, file)):
            assert not RESERVED.search(text), (
                f"locales/{language}/{file}.json: {key} has a letter of vue-i18n"
            )


def test_comfyui_hands_them_out(comfy: Comfy, texts: dict[str, Any]) -> None:
    served = comfy.get("/i18n")
    for language in LANGUAGES:
        assert {name: served[language]["nodeDefs"][name] for name in texts} == read(language)
        for part, words in read(language, "main").items():
            assert served[language][part].items() >= words.items()


def test_categories_and_sockets_have_names(comfy: Comfy, texts: dict[str, Any]) -> None:
    info = comfy.get("/object_info")
    kinds: set[str] = set()
    for name in texts:
        node = info[name]
        groups = [node["input"].get(group, {}) for group in ("required", "optional")]
        kinds |= {part for group in groups for kind, *_ in group.values() for part in str(kind).split(",")}
        kinds |= set(node["output"])
    ours = {kind for kind in kinds if kind.startswith("A2V_")}
    for language in LANGUAGES:
        main = read(language, "main")
        assert set(main) == {"nodeCategories", "dataTypes"}
        assert set(main["dataTypes"]) == ours
        assert set(main["nodeCategories"]) == {info[name]["category"] for name in texts}


def test_only_these_files() -> None:
    files = sorted(str(path.relative_to(LOCALES)) for path in LOCALES.rglob("*") if path.is_file())
    assert files == sorted(f"{name}/{part}.json" for name in LANGUAGES for part in ("main", "nodeDefs"))
    assert set(LANGUAGES) >= {"en", "zh"}
