"""The prompt of a clip: its caption and the audio words."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from a2v_core.backbones import BackboneSpec
from a2v_core.tokens import audio_words, in_prompt, plain_text

from .config import Adapter, Config, Data
from .errors import ConfigError

_log = logging.getLogger(__name__)


def prompt_of(data: Data, caption: str, words: Sequence[str]) -> str:
    """The prompt of a clip: its caption with the audio words, or `data.prompt` if it has none."""
    audio = in_prompt(words)
    if not caption:
        text = data.prompt
    elif audio_words(caption) or "{audio}" in caption:
        text = caption
    else:
        text = data.caption_prompt
    return text.replace("{caption}", caption).replace("{audio}", audio)


def text_of(config: Config, caption: str) -> str:
    """The prompt of a clip for a model that hears the sound beside the text: without audio words."""
    return plain_text(prompt_of(config.data, caption, config.mapper.words))


def check_for(config: Config, spec: BackboneSpec) -> None:
    """What the config says for the way in which the sound comes into the model.

    ConfigError when a prompt of a model with audio words has none of the mapper's, or when the config has
    settings of an adapter for such a model.
    """
    if spec.audio == "frame_attention":
        return
    if config.adapter != Adapter() or config.models.adapter is not None:
        raise ConfigError(
            f"adapter: {spec.family} has the sound as words in its prompts and takes no audio adapter; leave "
            "the section adapter and models.adapter out, or choose a model such as Wan"
        )
    for name in ("prompt", "caption_prompt"):
        text = prompt_of(config.data, "" if name == "prompt" else "x", config.mapper.words)
        if not set(audio_words(text)) & set(config.mapper.words):
            words = in_prompt(config.mapper.words)
            raise ConfigError(
                f"data.{name} has none of the audio words of this mapper, {words}; write {{audio}}"
            )


def say_that_words_go(config: Config, spec: BackboneSpec) -> None:
    """Log that audio words are left out of the prompts of a model that needs none, with an example."""
    prompt = prompt_of(config.data, "", config.mapper.words)
    if spec.audio == "frame_attention" and audio_words(prompt):
        _log.info(
            "%s hears the sound beside the text: prompts have no audio words, %r is %r",
            spec.family,
            config.data.prompt,
            text_of(config, ""),
        )
