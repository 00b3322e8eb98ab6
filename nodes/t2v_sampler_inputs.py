"""The inputs of the T2V Sampler: names, defaults, ranges, and what their tooltips say."""

from __future__ import annotations

from comfy_api.latest import io

from ..a2v_core.sampling import EXACT, SPEEDS
from ..a2v_core.sampling.long import LongMode
from ..a2v_core.schedules import DEFAULT_SCHEDULER, SCHEDULERS
from ..a2v_core.tokens import DEFAULT_PROMPT
from .sockets import AudioTokens, T2VModel

MAX_SIZE = 8192
SIZE_STEP = 8  # of the widgets; a model may ask for more, which is seen when it runs
WINDOWED = "windowed attention"
LONG_MODES: dict[str, LongMode | None] = {
    WINDOWED: "attention",
    "whole-model windows": "model",
    "off": None,
}


def sampler_inputs() -> list[io.Input]:
    """All of them, in the order in which saved workflows hold their values: only ever append."""
    return [
        T2VModel.Input("model", tooltip="From Load T2V Model."),
        io.String.Input(
            "prompt",
            multiline=True,
            dynamic_prompts=True,
            default=DEFAULT_PROMPT,
            tooltip=(
                "Text, with the words of the audio tokens anywhere in it: <temp> this frame's "
                "sound, <local1> to <local4> ever longer windows around it, <class> the whole "
                "sound. Any of them, in any order."
            ),
        ),
        io.String.Input(
            "negative_prompt",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="What guidance leads away from. Not used when cfg is 1 or speed is few_steps.",
        ),
        *(
            io.Int.Input(
                side,
                default=0,
                min=0,
                max=MAX_SIZE,
                step=SIZE_STEP,
                tooltip=(
                    "Pixels, a multiple of 8 (Wan: 16 or 32); 0 = the size the model was trained at "
                    "(demo 64, AnimateDiff 512)."
                ),
            )
            for side in ("width", "height")
        ),
        io.Int.Input(
            "num_frames",
            default=0,
            min=0,
            max=100000,
            tooltip=(
                "Frames of the video; 0 = as the audio tokens, else as long as the sound, else the "
                "model's own number (AnimateDiff 16, ModelScope 24, Wan 81; Wan makes 4n+1). Has to be "
                "that of the audio tokens when they are in the prompt."
            ),
        ),
        io.Float.Input(
            "fps",
            default=0.0,
            min=0.0,
            max=1000.0,
            step=0.001,  # finer than 23.976: the front end rounds to it
            tooltip=(
                "Frames per second; 0 = as the audio tokens, without them 12. Sets the length of the sound."
            ),
        ),
        io.Int.Input(
            "steps",
            default=20,
            min=1,
            max=1000,
            tooltip="Denoising steps; more is slower and finer. 20 to 50 are usual.",
        ),
        io.Float.Input(
            "cfg",
            default=3.0,
            min=0.0,
            max=100.0,
            step=0.1,
            round=0.01,
            tooltip=(
                "Guidance scale: how strongly to follow prompt and sound. 1 = no guidance, twice as "
                "fast. Demo 3, ModelScope and Zeroscope 9 to 25, AnimateDiff 7 to 8, Wan 5."
            ),
        ),
        io.Combo.Input(
            "scheduler",
            options=list(SCHEDULERS),
            default=DEFAULT_SCHEDULER,
            tooltip=("Solver of the denoising steps, with its sigma spacing (_karras or the model's own)."),
        ),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=0xFFFFFFFFFFFFFFFF,
            control_after_generate=True,
            tooltip=("Seed of the noise. It is drawn on the CPU: a seed means the same on every machine."),
        ),
        io.Int.Input(
            "decode_chunk",
            default=0,
            min=0,
            max=4096,
            tooltip=(
                "Frames decoded at once; 0 = as many as fit into memory. Fewer need less; the picture stays "
                "the same."
            ),
        ),
        io.Int.Input(
            "batch_index",
            default=0,
            min=0,
            max=4095,
            tooltip=(
                "Which sound of a batched audio goes with the video, counted from 0; as in AudioMapper."
            ),
        ),
        AudioTokens.Input(
            "audio_tokens",
            optional=True,
            tooltip="From Temporal Context Pooling. Without them the prompt is plain text.",
        ),
        io.Audio.Input(
            "audio",
            optional=True,
            tooltip=("The original sound, to go with the video: comes out trimmed to it. Does not steer."),
        ),
        io.Combo.Input(
            "long_video",
            options=list(LONG_MODES),
            default=WINDOWED,
            optional=True,
            tooltip=(
                "For more frames than the model was trained on (24, AnimateDiff 16, Wan 81). windowed "
                "attention: fastest, memory of a short clip; not for Wan. whole-model windows: twice the "
                "time. off: all frames at once (AnimateDiff: at most 24 or 32). Up to so many frames all "
                "three are the same."
            ),
        ),
        io.Int.Input(
            "window_stride",
            default=0,
            min=0,
            max=4096,
            optional=True,
            tooltip=(
                "Frames from one window to the next in a long video; 0 = a third of a window, for "
                "whole-model windows half of one. Fewer blend "
                "more and are slower."
            ),
        ),
        io.Boolean.Input(
            "closed_loop",
            default=False,
            optional=True,
            tooltip="The last frame of a long video meets the first, so that it can play in a loop.",
        ),
        io.Boolean.Input(
            "resume",
            default=False,
            optional=True,
            tooltip=(
                "Keep the steps of a long video on disk (user/a2v_progress) until it is done: after "
                "a crash or Cancel the same settings go on where they stopped, with the same result."
            ),
        ),
        io.Combo.Input(
            "speed",
            options=list(SPEEDS),
            default=EXACT,
            optional=True,
            tooltip=(
                "exact = every step in full. fast = fewer steps and less work in them, nearly "
                "the same video. few_steps = a fifth of the steps without guidance, for a first "
                "look. The others leave out one thing each; docs/performance.md has their prices."
            ),
        ),
        io.Float.Input(
            "sound_cfg",
            default=-1.0,
            min=-1.0,
            max=100.0,
            step=0.1,
            round=0.01,
            optional=True,
            tooltip=(
                "A guidance scale of its own for what the sound adds to the text; cfg is then that "
                "of the text alone. -1 = as cfg. Costs up to half as much again."
            ),
        ),
        io.Int.Input(
            "takes",
            default=1,
            min=1,
            max=64,
            optional=True,
            tooltip=(
                "So many videos, with seed, seed + 1 and so on, as a list: what follows runs for each, and "
                "Best Take picks one. The sound and the prompts are encoded once."
            ),
        ),
    ]
