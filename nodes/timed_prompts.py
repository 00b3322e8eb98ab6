"""Timed Prompts: what is heard when -> prompts with times, in the forms that other nodes take."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from ..a2v_core.signals.cuts import (
    HITS,
    PROMPT_FORMATS,
    PROMPTED,
    PromptTrack,
    heard_prompts,
    prompt_axis,
    prompt_relay,
)
from ..a2v_core.signals.events import parse_phrases, read_events
from . import runtime
from .clip_prompt import encode_text
from .clip_rows import by_frame
from .sockets import CATEGORY, T2VModel, check_choice, search_words
from .sound_lengths import fps_input, frames_input
from .t2v_model import ManagedT2V

NODE = "Timed Prompts"


class A2VTimedPrompts(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VTimedPrompts",
            display_name=NODE,
            category=CATEGORY,
            description=(
                "Makes prompts with times of what is heard when: for Prompt Relay, as time stamps, for "
                "Fizz and Deforum, as subtitles, and with a CLIP as CONDITIONING with one row per frame."
            ),
            is_output_node=True,
            **search_words("prompt schedule", "prompt travel", "prompt relay", "fizz", "deforum", "srt"),
            inputs=[
                io.String.Input(
                    "events",
                    multiline=True,
                    default="",
                    tooltip=(
                        "From Sound Events: its events or its table, also edited. By hand: lines such as "
                        "0.5 Dog, and 3.0 (end) for how long the sound is."
                    ),
                ),
                io.String.Input(
                    "phrases",
                    multiline=True,
                    default="",
                    tooltip=(
                        "What a prompt says for a sound, a line each: Dog: a dog barks. A line with * is "
                        "for all others. Without a line it is the name of the sound."
                    ),
                ),
                io.String.Input(
                    "template",
                    multiline=True,
                    default="{label}",
                    tooltip="The whole prompt; the word label in curly brackets stands for the phrase.",
                ),
                io.String.Input(
                    "quiet",
                    multiline=True,
                    default="",
                    tooltip=(
                        "The prompt where nothing has been heard for a while. Empty: what was heard last "
                        "goes on."
                    ),
                ),
                fps_input(),
                frames_input("Frames of the video. 0 = as long as the sound."),
                io.Combo.Input(
                    "sounds",
                    options=list(PROMPTED),
                    default=HITS,
                    tooltip=(
                        "hits = a prompt begins with a hit. sustained sounds = it lasts as long as its "
                        "sound; switch sustained on in Sound Events. all together = one prompt with all "
                        "that is heard, such as for a shot."
                    ),
                ),
                io.Float.Input(
                    "shortest",
                    default=0.5,
                    min=0.0,
                    max=3600.0,
                    step=0.01,
                    tooltip=(
                        "Of hits: seconds that a prompt stays at least; a sound that comes sooner is "
                        "left out."
                    ),
                ),
                io.Float.Input(
                    "longest",
                    default=2.0,
                    min=0.01,
                    max=3600.0,
                    step=0.01,
                    tooltip="Of hits: seconds after which it is quiet, where there is a prompt for quiet.",
                ),
                io.Combo.Input(
                    "format",
                    options=list(PROMPT_FORMATS),
                    default="timestamps",
                    tooltip="What the output text holds.",
                ),
                io.MultiType.Input(
                    "clip",
                    types=[io.Clip, T2VModel],
                    optional=True,
                    tooltip=(
                        "The text encoder, for the output conditioning: a CLIP, or a model from Load T2V "
                        "Model. Every distinct prompt is encoded once."
                    ),
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="local_prompts", tooltip="For Prompt Relay: the prompts with bars between."
                ),
                io.String.Output(
                    display_name="segment_lengths",
                    tooltip="For Prompt Relay: their frames; they add up to the frames of the video.",
                ),
                io.String.Output(display_name="text", tooltip="The prompts as format says."),
                io.Conditioning.Output(
                    display_name="conditioning",
                    tooltip=(
                        "Shape [frames, tokens, width], for a sampler of UNets with as many latents as "
                        "frames. Needs a clip."
                    ),
                ),
                io.String.Output(
                    display_name="prompt", is_output_list=True, tooltip="List: the text of every prompt."
                ),
                io.Float.Output(
                    display_name="start",
                    is_output_list=True,
                    tooltip="List: the second at which each begins.",
                ),
                io.Int.Output(
                    display_name="length", is_output_list=True, tooltip="List: the frames of each."
                ),
                io.Int.Output(display_name="num_frames", tooltip="Frames of the video."),
            ],
        )

    @classmethod
    def validate_inputs(cls, sounds: str | None = None, format: str | None = None) -> bool | str:
        wrong = check_choice("sounds", sounds, PROMPTED)
        return wrong if wrong is not True else check_choice("format", format, PROMPT_FORMATS)

    @classmethod
    def execute(
        cls,
        events: str,
        phrases: str,
        template: str,
        quiet: str,
        fps: float,
        frames: int,
        sounds: str,
        shortest: float,
        longest: float,
        format: str,
        clip: Any = None,
    ) -> io.NodeOutput:
        found, segments = read_events(events)
        said, axis = parse_phrases(phrases, f"{NODE}: phrases"), prompt_axis(found, fps, frames)
        track = heard_prompts(sounds, axis, found.events, segments, said, template, quiet, longest, shortest)
        relay, text = prompt_relay(track), PROMPT_FORMATS[format](track)
        return io.NodeOutput(
            relay.local_prompts,
            relay.segment_lengths,
            text,
            _rows(track, clip),
            [prompt.text for prompt in track.prompts],
            [track.start(prompt) for prompt in track.prompts],
            [prompt.frames for prompt in track.prompts],
            axis.frames,
            ui=ui.PreviewText(text),
        )


def _rows(track: PromptTrack, clip: Any) -> Any:
    """CONDITIONING with the row of every frame; without a text encoder what stops the nodes behind it."""
    if clip is None:
        return runtime.no_output(f"{NODE}: connect a CLIP to its input clip for the output conditioning")
    index = torch.tensor(track.text_numbers(), dtype=torch.int64)
    progress = runtime.Progress(len(track.texts()))
    encoded = []
    for text in track.texts():
        encoded.append(_encoded(clip, text))
        progress(len(encoded))
    return by_frame(encoded, index)


def _encoded(clip: Any, text: str) -> list[list[Any]]:
    """CONDITIONING [1, L, C] of one text."""
    if not isinstance(clip, ManagedT2V):
        return encode_text(clip, text, None, NODE)
    return [[runtime.intermediate(clip.encode_prompt(text, None, 1).per_frame), {}]]
