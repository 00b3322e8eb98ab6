"""Audio tokens spliced into the prompt: the text encoder's states for every frame.

The embeddings of the audio words are replaced by the audio tokens of a frame before the position embedding
is added, and the CLIP text encoder then runs once per frame (TempoTokens, modeling_clip_tempotokens.py). Here
it runs once per *distinct* frame. The replacement is a forward hook on the token embedding, since
CLIPTextModel takes no `inputs_embeds`.

Legend: B clips, F video frames, N texts, K audio words, D token width, L text positions, C text width.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import A2VError
from .context import FrameContext
from .prompt_ids import tokenize_prompt

if TYPE_CHECKING:
    from ..tokens import AudioTokens

ROWS_AT_ONCE = 32
_log = logging.getLogger(__name__)


def text_width(text_encoder: Any) -> int:
    """Width of the text encoder's token embeddings, which audio tokens must have."""
    return int(text_encoder.get_input_embeddings().weight.shape[1])


def check_token_width(token_width: int, encoder_width: int) -> None:
    """A2VError when audio tokens of one width cannot stand among text embeddings of another."""
    if token_width != encoder_width:
        raise A2VError(
            f"The audio tokens are {token_width} wide, but the text encoder of this text-to-video model is "
            f"{encoder_width} wide: the AudioMapper was trained for another model. Load the text-to-video "
            "model that the mapper was trained on (the published mappers: Zeroscope v2 576w, 1024 wide), or "
            "a mapper trained for this one."
        )


def encode_ids(
    text_encoder: Any, ids: Tensor, tokens: Tensor | None = None, first_word_id: int = 0
) -> Tensor:
    """Text-encoder states [N, L, C] of N texts, with audio tokens in place of the audio words.

    ids int64 [N, L]; tokens [N, K, D], where id `first_word_id + k` stands for token k of its own text.
    Runs where the text encoder is and in its dtype. Gradients flow into `tokens`.
    """
    device = text_encoder.get_input_embeddings().weight.device
    ids = ids.to(device)
    if tokens is None:
        states: Tensor = text_encoder(ids).last_hidden_state
        return states
    check_token_width(tokens.shape[-1], text_width(text_encoder))
    with _spliced(text_encoder.get_input_embeddings(), ids, tokens.to(device), first_word_id):
        states = text_encoder(ids).last_hidden_state
    return states


@contextmanager
def _spliced(embedding: nn.Module, ids: Tensor, tokens: Tensor, first_word_id: int) -> Iterator[None]:
    """Inside the block, `embedding(ids)` gives the audio tokens at the audio words."""

    def without_words(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        # A stock embedding table has no rows for the words: any valid id does until they are replaced.
        return (args[0].masked_fill(args[0] >= first_word_id, 0), *args[1:])

    def with_tokens(module: nn.Module, args: tuple[Any, ...], embedded: Tensor) -> Tensor:
        for k in range(tokens.shape[1]):
            mask = (ids == first_word_id + k).unsqueeze(-1)
            embedded = torch.where(mask, tokens[:, k : k + 1].to(embedded.dtype), embedded)
        return embedded

    handles = [
        embedding.register_forward_pre_hook(without_words),
        embedding.register_forward_hook(with_tokens),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def encode_prompt(
    text_encoder: Any, tokenizer: Any, prompt: str, audio_tokens: AudioTokens | None, num_frames: int
) -> FrameContext:
    """The prompt for every frame of a clip, the text encoder run once per distinct frame.

    Audio words (`<temp>`, `<local1>` ..., `<class>`) may stand anywhere in the prompt; without any, all
    frames share one text. A2VError when there are words but no audio tokens, when the tokens are for another
    number of frames or of another width, or not finite.
    """
    if num_frames < 1:
        raise A2VError(f"num_frames is {num_frames}: a video needs at least 1 frame")
    words = None if audio_tokens is None else audio_tokens.words
    text = tokenize_prompt(tokenizer, prompt, words, text_length(text_encoder, tokenizer))
    if audio_tokens is not None and not text.used:
        known = ", ".join(f"<{word}>" for word in text.words)
        _log.warning("The prompt %r has none of the audio words %s: the sound has no effect", prompt, known)
    if audio_tokens is None or not text.used:
        return FrameContext(
            encode_ids(text_encoder, text.ids[None]), torch.zeros(num_frames, dtype=torch.int64)
        )
    if audio_tokens.num_frames != num_frames:
        raise A2VError(
            f"The audio tokens are for {audio_tokens.num_frames} frames, but {num_frames} frames are asked "
            "for: set both to the same number (0 in the sampler means: as the tokens)"
        )
    check_token_width(audio_tokens.width, text_width(text_encoder))
    rows, index = distinct_frames(audio_tokens, text.used)
    tokens = torch.stack([audio_tokens.words[word] for word in text.words], dim=1)
    states = [
        encode_ids(text_encoder, text.ids.expand(len(chunk), -1), tokens[chunk], text.first_word_id)
        for chunk in rows.split(ROWS_AT_ONCE)
    ]
    return FrameContext(torch.cat(states), index)


def encode_clips(
    text_encoder: Any, tokenizer: Any, prompts: Sequence[str], words: Mapping[str, Tensor]
) -> Tensor:
    """States [B, F, L, C] of B clips, one prompt each; for training, gradients flow into the audio tokens.

    `words` maps every audio word to its tokens [B, F, D]. A prompt without words is encoded once per clip.
    """
    if not words:
        raise A2VError("There are no audio words to train: the mapper has to give at least one")
    frames = next(iter(words.values())).shape[1]
    length = text_length(text_encoder, tokenizer)
    texts = [tokenize_prompt(tokenizer, prompt, words, length) for prompt in prompts]
    order = texts[0].words
    tokens = torch.stack([words[word] for word in order], dim=2)
    # Every clip with words gives F rows, every other clip one row with unused tokens: one call for all.
    rows = [frames if text.used else 1 for text in texts]
    ids = torch.cat([text.ids.expand(n, -1) for text, n in zip(texts, rows, strict=True)])
    row_tokens = torch.cat([tokens[b, :n] for b, n in enumerate(rows)])
    states = encode_ids(text_encoder, ids, row_tokens, texts[0].first_word_id)
    return torch.stack([clip.expand(frames, -1, -1) for clip in states.split(rows)])


def text_length(text_encoder: Any, tokenizer: Any) -> int:
    """Number of positions a prompt is padded to, as in diffusers: the tokenizer's maximum (77 for CLIP).

    At most that of the text encoder: without a length in its files a tokenizer states a huge number.
    """
    return min(int(text_encoder.config.max_position_embeddings), int(tokenizer.model_max_length))


def distinct_frames(audio_tokens: AudioTokens, words: Sequence[str]) -> tuple[Tensor, Tensor]:
    """The first frame with each distinct set of tokens of `words`, int64 [U], and the row [F] of every frame.

    A2VError for tokens that are not finite.
    """
    if not all(bool(rows.isfinite().all()) for rows in audio_tokens.words.values()):
        raise A2VError("The audio tokens contain NaN or infinity: check the sound and the AudioMapper file")
    tokens = torch.stack([audio_tokens.words[word] for word in words], dim=1)
    row_of: dict[bytes, int] = {}
    rows: list[int] = []
    index: list[int] = []
    for frame, row in enumerate(tokens.detach().float().cpu().contiguous().numpy()):
        key = row.tobytes()
        if key not in row_of:
            row_of[key] = len(rows)
            rows.append(frame)
        index.append(row_of[key])
    return torch.tensor(rows), torch.tensor(index, dtype=torch.int64)
