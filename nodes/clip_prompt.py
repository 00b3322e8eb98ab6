"""Audio words in a prompt for ComfyUI's own text encoders, by the way that it takes textual inversions.

Core tokenizes a prompt to lists of (token, weight), one list for every 77 positions and text encoder, and a
token may be an embedding instead of a number (`comfy/sd1_clip.py`). Here each audio word is first tokenized
as an ordinary word that is one token long and not in the prompt, so that weights such as (<temp>:1.2), long
prompts and every tokenizer of core work as ever; then an audio token takes its place, frame by frame.

Legend: F video frames, U distinct ones, K audio words, D token width, L text positions, C text width.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..a2v_core.errors import A2VError
from ..a2v_core.prompts import distinct_frames
from ..a2v_core.tokens import AUDIO_WORD, AudioTokens, audio_words
from . import runtime
from .clip_rows import Conditioning, by_frame

Tokens = dict[str, list[list[tuple[Any, ...]]]]

# Ordinary words of one token; more than there are audio words, since a prompt may hold some of them.
_STAND_INS = (
    "zebra",
    "violin",
    "tulip",
    "kayak",
    "walrus",
    "banjo",
    "cactus",
    "igloo",
    "yacht",
    "quartz",
    "lemon",
    "otter",
    "piano",
    "rabbit",
    "saddle",
    "turtle",
    "violet",
    "whale",
    "pepper",
    "olive",
)
_log = logging.getLogger(__name__)


def encode_text(clip: Any, text: str, audio_tokens: AudioTokens | None, node: str) -> Conditioning:
    """CONDITIONING [F, L, C] of a prompt with audio words; [1, L, C] when there are no audio tokens.

    Raises A2VError for audio words without audio tokens, for tokens of another width than the text encoder's
    embeddings, and for a tokenizer that has no place for them.
    """
    if clip is None:
        raise A2VError(
            f"{node}: clip is None (the checkpoint may hold no text encoder); load one with Load CLIP"
        )
    found = audio_words(text)
    if audio_tokens is None:
        if found:
            raise A2VError(
                f"{node}: the text has the audio word <{found[0]}>, but there are no audio tokens: connect "
                "Temporal Context Pooling, or take the word out of the text"
            )
        conditioning: Conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(text))
        return conditioning
    used = [word for word in audio_tokens.words if word in found]
    for word in sorted(set(found) - set(used)):
        _log.warning("%s: <%s> is none of the words of these audio tokens: read as text", node, word)
    if not used:
        _log.warning("%s: the text has no audio word: the sound has no effect", node)
        plain = clip.encode_from_tokens_scheduled(clip.tokenize(text))
        return by_frame([plain], torch.zeros(audio_tokens.num_frames, dtype=torch.int64))
    _check_width(clip, clip.tokenize(""), audio_tokens.width, node)
    template, ids = _template(clip, text, used, node)
    rows, index = distinct_frames(audio_tokens, used)
    progress = runtime.Progress(len(rows))
    encoded = []
    for frame in torch.stack([audio_tokens.words[word] for word in used], dim=1)[rows]:  # [K, D]
        encoded.append(clip.encode_from_tokens_scheduled(_filled(template, ids, frame)))
        progress(len(encoded))
    return by_frame(encoded, index)


def _check_width(clip: Any, tokens: Mapping[str, Any], width: int, node: str) -> None:
    """Core ignores an embedding of the wrong width with a line in the log; here it is an error."""
    widths = {name: _embedding_width(clip.cond_stage_model, name) for name in tokens}
    if set(widths.values()) != {width}:
        has = ", ".join(f"{name}: {size or 'none that takes embeddings'}" for name, size in widths.items())
        raise A2VError(
            f"{node}: the audio tokens are {width} wide, but the text encoder of this CLIP has other "
            f"embeddings ({has}). An AudioMapper belongs to one text encoder: the published ones (1024) to "
            "OpenCLIP ViT-H, which Zeroscope, ModelScope and SD 2.x have; SD 1.5 needs one trained for 768"
        )


def _embedding_width(model: Any, name: str) -> int:
    """Width of the token embeddings of the text encoder that core calls `name`; 0 where it has none."""
    encoder = getattr(model, f"clip_{name}", None) or getattr(model, name, None)
    transformer = getattr(encoder, "transformer", None)
    return int(transformer.get_input_embeddings().weight.shape[-1]) if transformer is not None else 0


def _template(clip: Any, text: str, used: list[str], node: str) -> tuple[Tokens, dict[str, dict[int, int]]]:
    """The tokens of the text with a stand-in for every audio word, and its ids: encoder -> id -> k."""
    special = {name: set(_ids(lists)) for name, lists in clip.tokenize("").items()}
    taken = {name: set(_ids(lists)) for name, lists in clip.tokenize(AUDIO_WORD.sub(" ", text)).items()}
    stand_ins: dict[str, str] = {}
    ids: dict[str, dict[int, int]] = {name: {} for name in special}
    for candidate in _candidates(clip, special):
        if len(stand_ins) == len(used):
            break
        tokens = clip.tokenize(candidate)
        own = {name: [i for i in _ids(lists) if i not in special[name]] for name, lists in tokens.items()}
        if all(len(found) == 1 and found[0] not in taken[name] for name, found in own.items()):
            for name, found in own.items():
                ids[name][found[0]] = len(stand_ins)
            stand_ins[used[len(stand_ins)]] = candidate
    written = AUDIO_WORD.sub(lambda m: f" {stand_ins.get(m[1].lower(), m[0])} ", text)
    template: Tokens = clip.tokenize(written)
    wanted = sum(word in stand_ins for word in audio_words(text))
    for name, lists in template.items():
        if len(stand_ins) < len(used) or sum(i in ids[name] for i in _ids(lists)) != wanted:
            raise A2VError(
                f"{node}: the tokenizer of this CLIP ({name}) has no place for the audio words; use the text "
                "encoder that the AudioMapper was trained for"
            )
    return template, ids


def _candidates(clip: Any, names: Iterable[str]) -> Iterator[str]:
    """Words that may be one token, the most likely first: a small vocabulary has few of the usual ones."""
    yield from _STAND_INS
    for name in names:
        vocabulary = getattr(getattr(clip.tokenizer, f"clip_{name}", None), "inv_vocab", {})
        whole = (
            str(entry).removesuffix("</w>") for entry in vocabulary.values() if str(entry).endswith("</w>")
        )
        yield from (word for word in whole if word.isalpha())


def _ids(lists: list[list[tuple[Any, ...]]]) -> Iterator[int]:
    """The numbers among the tokens; embeddings of the user's (`embedding:name`) are none."""
    return (token[0] for tokens in lists for token in tokens if isinstance(token[0], int))


def _filled(template: Tokens, ids: dict[str, dict[int, int]], frame: Tensor) -> Tokens:
    """The template with the audio tokens [K, D] of a frame in the place of their stand-ins."""

    def token(name: str, entry: tuple[Any, ...]) -> tuple[Any, ...]:
        k = ids[name].get(entry[0]) if isinstance(entry[0], int) else None
        return entry if k is None else (frame[k], *entry[1:])

    return {
        name: [[token(name, entry) for entry in tokens] for tokens in lists]
        for name, lists in template.items()
    }
