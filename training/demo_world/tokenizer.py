"""The demo tokenizer: CLIP's byte-level BPE with merges for the words of the demo world; other text is split
into letters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .world import COLOURS, LEVELS, SHAPES, SIDES, WALLS

LENGTH = 40  # text positions; CLIP has 77
START, END = "<|startoftext|>", "<|endoftext|>"


def words() -> list[str]:
    """The words of all captions."""
    return ["a", "video", "of", "on", "the", "bouncing", *LEVELS, *COLOURS, *SHAPES, *SIDES, *WALLS]


def bpe(vocabulary_words: list[str]) -> tuple[list[str], list[str]]:
    """Tokens in order of their ids and merges in order of rank, so that each given word is one token."""
    letters = [chr(code) for code in range(33, 127)]
    high = [chr(code) for code in (*range(161, 173), *range(174, 256))]
    alphabet = [*letters, *high, *(chr(256 + n) for n in range(68))]
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    merges: list[str] = []
    for word in vocabulary_words:
        left, pieces = word[0], [*word[1:-1], f"{word[-1]}</w>"]
        for piece in pieces if len(word) > 1 else []:
            if f"{left} {piece}" not in merges:
                merges.append(f"{left} {piece}")
                tokens.append(left + piece)
            left += piece
    return [*tokens, START, END], merges


def save_tokenizer(folder: Path) -> Any:
    """Writes the tokenizer's official files into `folder` and returns it, a `CLIPTokenizer`."""
    from transformers import CLIPTokenizer

    tokens, merges = bpe(words())
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    marks = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    settings = {**marks, "model_max_length": LENGTH, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(marks, indent=2) + "\n")
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
