"""Audio tokens in the prompt, against the published text encoder code and on a tiny CLIP."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from a2v_core.errors import A2VError
from a2v_core.prompts import ContextBatch
from a2v_core.prompts.context import FrameContext
from a2v_core.prompts.prompt_ids import tokenize_prompt
from a2v_core.prompts.splice import check_token_width, encode_clips, encode_ids, encode_prompt
from a2v_core.tokens import AudioTokens, published_order
from tests.golden_recipe import GOLDEN, fill_module, recipe
from tests.tiny_t2v import TEXT_WIDTH

WORDS = ("temp", "local1", "local2", "local3", "local4", "class")


@pytest.fixture(scope="session")
def golden_clip() -> Any:
    """The full-width CLIP text encoder of the golden values (49408 rows and six for the audio words)."""
    from transformers import CLIPTextConfig, CLIPTextModel

    layout = json.loads((GOLDEN / "clip_layout.json").read_text())
    with torch.device("meta"):
        encoder = CLIPTextModel(CLIPTextConfig(**layout["config"]))
    inner = getattr(encoder, "text_model", encoder)  # transformers 4 has an inner model, 5 has not
    inner.embeddings.position_ids = torch.arange(77)[None]
    layout["state_dict"].pop("text_model.embeddings.position_ids")
    tensors = fill_module(layout["state_dict"])
    tensors = {key.removeprefix("text_model."): value for key, value in tensors.items()}
    inner.load_state_dict(tensors, assign=True)
    return encoder.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def clip_golden() -> dict[str, Tensor]:
    return load_file(GOLDEN / "clip_splice.safetensors")


@pytest.mark.parametrize("case", ["temp_local_class", "class_only_with_text"])
def test_golden_states(case: str, golden_clip: Any, clip_golden: dict[str, Tensor]) -> None:
    tokens = {word: recipe(word, (1, 24, 1024))[0] * 32 for word in WORDS[:-1]}
    tokens["class"] = (recipe("class", (1, 1024)) * 32).expand(24, -1)
    stacked = torch.stack([tokens[word] for word in WORDS], dim=1)
    states = encode_ids(golden_clip, clip_golden[f"{case}_ids"].expand(24, -1), stacked, first_word_id=49408)
    torch.testing.assert_close(states[[0, 11, 23]], clip_golden[case], atol=1e-4, rtol=0)
    mean, std = states.mean(dim=(1, 2)), states.std(dim=(1, 2))
    torch.testing.assert_close(mean, clip_golden[f"{case}_frame_mean"], atol=1e-4, rtol=0)
    torch.testing.assert_close(std, clip_golden[f"{case}_frame_std"], atol=1e-4, rtol=0)


def audio_tokens(frames: int, width: int = TEXT_WIDTH) -> AudioTokens:
    words = {word: recipe(word, (frames, width)) * width**0.5 for word in WORDS[:-1]}
    words["class"] = (recipe("class", (width,)) * 50).expand(frames, -1)
    return AudioTokens(words=words, fps=12.0)


def test_ids_are_those_of_words_added_to_the_vocabulary(tokenizer: Any, fresh_tokenizer: Any) -> None:
    fresh_tokenizer.add_tokens([f"<{word}>" for word in WORDS])
    for prompt in (
        "a video of <temp> <local1> <local2> <local3> <local4> <class>",
        "<class>a dog, <temp>, on the moon<local4>. <class>",
        "<temp><temp>  <class>",
        "the unknown <word> and <local9>",
        "",
    ):
        ids = tokenize_prompt(tokenizer, prompt, WORDS).ids
        expected = fresh_tokenizer(prompt, padding="max_length", max_length=77).input_ids
        assert ids.tolist() == expected, prompt
    assert len(tokenizer) == len(fresh_tokenizer) - 6


def test_ids_start_after_the_vocabulary_in_published_order(tokenizer: Any) -> None:
    prompt = " ".join(f"<{word}>" for word in WORDS)
    text = tokenize_prompt(tokenizer, prompt, reversed(WORDS))
    first = len(tokenizer)
    assert text.words == WORDS
    assert text.ids[:8].tolist() == [
        tokenizer.bos_token_id,
        *range(first, first + 6),
        tokenizer.eos_token_id,
    ]
    assert text.ids[8:].tolist() == [0] * 69  # "!", which the folder's special_tokens_map.json names
    assert text.used == WORDS


def test_order_of_more_windows() -> None:
    words = ["class", "local10", "local2", "temp"]
    assert published_order(words) == ("temp", "local2", "local10", "class")


def test_words_in_any_case_are_words(tokenizer: Any) -> None:
    assert tokenize_prompt(tokenizer, "A <Class>", WORDS).used == ("class",)


def test_unknown_words_stay_text_and_audio_words_among_them_are_reported(
    tokenizer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    text = tokenize_prompt(tokenizer, "<local9> <dog> <temp>", WORDS)
    assert text.used == ("temp",)
    assert "<local9>" in caplog.text
    assert "<dog>" not in caplog.text


def test_truncation_is_warned_and_names_lost_words(tokenizer: Any, caplog: pytest.LogCaptureFixture) -> None:
    exact = tokenize_prompt(tokenizer, "<temp> " + "q " * 74, WORDS)
    assert not caplog.records
    long = tokenize_prompt(tokenizer, "<temp> " + "q " * 74 + "<class>", WORDS)
    assert long.ids.tolist() == exact.ids.tolist()
    assert exact.ids[-1] == tokenizer.eos_token_id
    assert caplog.records[0].levelno == logging.WARNING
    assert "1 tokens longer than the 75" in caplog.text
    assert "<class>" in caplog.text


@pytest.mark.parametrize("prompt", ["a <temp>", "<class>", "x <LOCAL2> y"])
def test_words_without_sound_are_an_error(encoder: Any, tokenizer: Any, prompt: str) -> None:
    with pytest.raises(A2VError, match=r"no audio tokens: connect"):
        encode_prompt(encoder, tokenizer, prompt, None, 4)


@torch.no_grad()
def test_text_only_is_one_text_for_all_frames(
    encoder: Any, tokenizer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    context = encode_prompt(encoder, tokenizer, "a red ball", None, 5)
    assert context.states.shape == (1, 77, TEXT_WIDTH)
    assert context.index.tolist() == [0] * 5
    ids = tokenizer("a red ball", padding="max_length", max_length=77, return_tensors="pt").input_ids
    assert torch.equal(context.states, encoder(ids).last_hidden_state)
    assert torch.equal(context.per_frame, context.states.expand(5, -1, -1))
    assert not caplog.records
    with_sound = encode_prompt(encoder, tokenizer, "a red ball", audio_tokens(5), 5)
    assert "none of the audio words <temp>, <local1>" in caplog.text
    assert torch.equal(with_sound.states, context.states)


@torch.no_grad()
@pytest.mark.parametrize(("length", "rows"), [(20, 20), (10**30, 77)])
def test_a_prompt_is_as_long_as_its_tokenizer_says(
    encoder: Any, fresh_tokenizer: Any, length: int, rows: int
) -> None:
    """And never longer than the encoder takes; 1e30 is what a tokenizer without a length of its own says."""
    fresh_tokenizer.model_max_length = length
    ids = fresh_tokenizer("a red ball", padding="max_length", max_length=rows, return_tensors="pt").input_ids
    context = encode_prompt(encoder, fresh_tokenizer, "a red ball", None, 2)
    assert torch.equal(context.states, encoder(ids).last_hidden_state)
    clips = encode_clips(encoder, fresh_tokenizer, ["a red ball"], {"temp": torch.zeros(1, 2, TEXT_WIDTH)})
    torch.testing.assert_close(clips[0], context.per_frame)


@torch.no_grad()
def test_tokens_stand_at_their_words(encoder: Any, tokenizer: Any) -> None:
    """The same as a text encoder whose embedding table has the tokens of one frame as extra rows."""
    tokens = audio_tokens(3)
    prompt = "<class> of <temp>, <temp> and <local3>"
    context = encode_prompt(encoder, tokenizer, prompt, tokens, 3)
    ids = tokenize_prompt(tokenizer, prompt, WORDS).ids[None]
    table = encoder.get_input_embeddings()
    for frame in range(3):
        extra = torch.stack([tokens.words[word][frame] for word in WORDS])
        bigger = torch.nn.Embedding.from_pretrained(torch.cat([table.weight, extra]))
        encoder.set_input_embeddings(bigger)
        expected = encoder(ids).last_hidden_state[0]
        encoder.set_input_embeddings(table)
        torch.testing.assert_close(context.per_frame[frame], expected, atol=1e-5, rtol=1e-5)


def test_encoder_runs_once_per_distinct_frame(encoder: Any, tokenizer: Any) -> None:
    rows: list[int] = []
    handle = encoder.register_forward_pre_hook(lambda module, args: rows.append(len(args[0])))
    tokens = audio_tokens(100)
    order = torch.arange(100) % 40
    repeated = AudioTokens(words={w: t[order] for w, t in tokens.words.items()}, fps=12.0)
    context = encode_prompt(encoder, tokenizer, "a <temp>", repeated, 100)
    encode_prompt(encoder, tokenizer, "a <class>", tokens, 100)
    handle.remove()
    assert rows == [32, 8, 1]
    assert torch.equal(context.index, order)
    plain = encode_prompt(encoder, tokenizer, "a <temp>", tokens, 100)
    torch.testing.assert_close(context.per_frame[60], plain.per_frame[20])
    some = ContextBatch.of([plain]).frames(torch.arange(10, 14))
    assert torch.equal(some.states[0], plain.per_frame[10:14])


def test_states_follow_the_tokens_of_their_own_frame(encoder: Any, tokenizer: Any) -> None:
    tokens = audio_tokens(4)
    changed = {word: value.clone() for word, value in tokens.words.items()}
    changed["temp"][2] = changed["temp"][2].flip(0)
    before = encode_prompt(encoder, tokenizer, "a <temp>", tokens, 4).per_frame
    after = encode_prompt(encoder, tokenizer, "a <temp>", AudioTokens(words=changed, fps=12.0), 4).per_frame
    differs = (before - after).abs().amax(dim=(1, 2)) > 1e-3
    assert differs.tolist() == [False, False, True, False]
    # Causal attention: nothing before the word changes.
    assert torch.equal(before[2, :2], after[2, :2])


def test_hooks_are_gone_afterwards(encoder: Any, tokenizer: Any) -> None:
    encode_prompt(encoder, tokenizer, "a <temp>", audio_tokens(2), 2)
    with pytest.raises(A2VError):
        encode_prompt(encoder, tokenizer, "a <temp>", audio_tokens(2, width=48), 2)
    table = encoder.get_input_embeddings()
    assert not table._forward_hooks
    assert not table._forward_pre_hooks


def test_gradients_reach_the_tokens_of_their_frames(encoder: Any, tokenizer: Any) -> None:
    words = {word: recipe(word, (2, 3, TEXT_WIDTH)).requires_grad_() for word in WORDS}
    prompts = ["a video of <temp> <class>", "a dog"]
    states = encode_clips(encoder, tokenizer, prompts, words)
    assert states.shape == (2, 3, 77, TEXT_WIDTH)
    states[0, 1].square().sum().backward()
    gradient = words["temp"].grad
    assert gradient is not None
    assert (gradient.abs().amax(dim=-1) > 0).tolist() == [[False, True, False], [False, False, False]]
    unused = words["local1"].grad
    assert unused is None or not unused.any()


@torch.no_grad()
def test_training_and_inference_agree(encoder: Any, tokenizer: Any) -> None:
    tokens = audio_tokens(3)
    other = {word: value.flip(0) for word, value in tokens.words.items()}
    both = {word: torch.stack([value, other[word]]) for word, value in tokens.words.items()}
    prompts = ["the <temp>, <class>", "<local2> on the moon"]
    states = encode_clips(encoder, tokenizer, prompts, both)
    for clip, (prompt, words) in enumerate(zip(prompts, (tokens.words, other), strict=True)):
        alone = encode_prompt(encoder, tokenizer, prompt, AudioTokens(words=words, fps=12.0), 3)
        torch.testing.assert_close(states[clip], alone.per_frame, atol=1e-5, rtol=1e-5)


def test_half_precision_encoder_takes_float32_tokens(encoder: Any, tokenizer: Any) -> None:
    expected = encode_prompt(encoder, tokenizer, "a <temp>", audio_tokens(2), 2).states
    try:
        states = encode_prompt(encoder.to(torch.bfloat16), tokenizer, "a <temp>", audio_tokens(2), 2).states
    finally:
        encoder.to(torch.float32)
    assert states.dtype == torch.bfloat16
    assert (states - expected).norm() / expected.norm() < 0.05


def test_width_mismatch_names_both_widths_and_the_remedy(encoder: Any, tokenizer: Any) -> None:
    with pytest.raises(A2VError, match=r"1024 wide.* is 768 wide.*Load the text-to-video model"):
        check_token_width(1024, 768)
    with pytest.raises(A2VError, match=rf"48 wide.* is {TEXT_WIDTH} wide"):
        encode_prompt(encoder, tokenizer, "a <temp>", audio_tokens(2, width=48), 2)


def test_other_number_of_frames_is_an_error(encoder: Any, tokenizer: Any) -> None:
    with pytest.raises(A2VError, match=r"for 24 frames, but 16 frames"):
        encode_prompt(encoder, tokenizer, "a <temp>", audio_tokens(24), 16)
    with pytest.raises(A2VError, match="at least 1 frame"):
        encode_prompt(encoder, tokenizer, "a ball", None, 0)


def test_nan_tokens_are_an_error(encoder: Any, tokenizer: Any) -> None:
    tokens = audio_tokens(2)
    tokens.words["temp"][1, 0] = torch.nan
    with pytest.raises(A2VError, match="NaN"):
        encode_prompt(encoder, tokenizer, "a <temp>", tokens, 2)


def test_context_of_wrong_shape_is_an_error() -> None:
    with pytest.raises(A2VError, match=r"states \[U, L, C\]"):
        FrameContext(torch.zeros(77, 8), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(A2VError, match="F >= 1"):
        FrameContext(torch.zeros(1, 77, 8), torch.zeros(0, dtype=torch.int64))
