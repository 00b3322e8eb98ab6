"""The grammar of audio words: `<temp>`, `<local1>`, `<local2>` ... and `<class>`, in any case.

Prompts and captions are parsed by these rules everywhere: in the sampler, the bridge to other samplers, and
the trainer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

AUDIO_WORD = re.compile(r"<(temp|class|local\d+)>", re.IGNORECASE)


def audio_words(text: str) -> list[str]:
    """The audio words of a text in their order, in lower case, without brackets."""
    return [word.lower() for word in AUDIO_WORD.findall(text)]


def in_prompt(words: Iterable[str]) -> str:
    """Audio words as they stand in a prompt: `<temp> <local1>`."""
    return " ".join(f"<{word}>" for word in words)


def split_at_words(text: str, words: Iterable[str]) -> list[str]:
    """Text, word, text, word, ..., text: cut at these words, which keep their own case."""
    pattern = "|".join(map(re.escape, words))
    return re.split(f"<({pattern})>", text, flags=re.IGNORECASE) if pattern else [text]


def without_words(text: str, words: Iterable[str]) -> str:
    """A text without these audio words and the spaces that they leave."""
    return " ".join(" ".join(split_at_words(text, words)[::2]).split())


def plain_text(text: str) -> str:
    """A text without any audio word, for models whose sound comes in beside the text.

    The "of" and the comma that joined the words to the rest go with them: "a video of <temp>, rain" is
    "a video, rain".
    """
    rest = re.sub(rf"(\s+of)?(\s*{AUDIO_WORD.pattern})+", "", text, flags=re.IGNORECASE)
    return re.sub(r"\s+,", ",", rest).strip(" ,")


def published_order(words: Iterable[str]) -> tuple[str, ...]:
    """Audio words in the order of their ids: temp, local1, local2, ..., class, then any others by name."""

    def sort_key(word: str) -> tuple[int, int, str]:
        if word == "temp":
            return 0, 0, ""
        if re.fullmatch(r"local\d+", word):
            return 1, int(word[5:]), ""
        return (2, 0, "") if word == "class" else (3, 0, word)

    return tuple(sorted(words, key=sort_key))
