"""One grammar of audio words for everything that reads a prompt."""

from __future__ import annotations

import pytest

from a2v_core.tokens import (
    DEFAULT_PROMPT,
    audio_words,
    plain_text,
    published_order,
    split_at_words,
    without_words,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a ball <temp>", ["temp"]),
        ("<CLASS> a <Temp> ball <LOCAL12>", ["class", "temp", "local12"]),
        ("<dog> < temp > <local> temp", []),
        ("", []),
    ],
)
def test_audio_words_are_found_in_any_case(text: str, found: list[str]) -> None:
    assert audio_words(text) == found


def test_a_text_is_cut_at_the_words_that_are_asked_for() -> None:
    assert split_at_words("a <TEMP> b <class>", ("temp",)) == ["a ", "TEMP", " b <class>"]
    assert split_at_words("a <temp>", ()) == ["a <temp>"]
    assert without_words("a <Temp> b <class>", iter(("temp",))) == "a b <class>"


def test_the_order_is_the_published_one() -> None:
    assert published_order({"class", "beat", "local10", "local2", "temp"}) == (
        "temp", "local2", "local10", "class", "beat",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (DEFAULT_PROMPT, "a video"),
        ("a video of <temp> <Class>, a bell on a table", "a video, a bell on a table"),
        ("<temp>, rain", "rain"),
        ("a dog <local2> barks", "a dog barks"),
        ("the sound of <drum> and of rain", "the sound of <drum> and of rain"),
        ("a cup of tea", "a cup of tea"),
    ],
)
def test_text_without_any_audio_word(text: str, plain: str) -> None:
    assert plain_text(text) == plain
