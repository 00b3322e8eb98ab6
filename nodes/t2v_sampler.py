"""T2V Sampler: a prompt, with the words of a sound in it, -> video frames."""

from __future__ import annotations

import math
from contextlib import closing
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..a2v_core.errors import A2VError
from ..a2v_core.sampling import EXACT, SPEEDS, SampleSettings
from ..a2v_core.sampling.long import LongSettings
from ..a2v_core.schedules import SCHEDULERS
from ..a2v_core.tokens import AudioTokens as Tokens
from ..a2v_core.tokens import frames_for
from . import runtime
from .sockets import CATEGORY, check_choice
from .sound import clip_sound, read_audio
from .t2v_model import ManagedT2V
from .t2v_sampler_inputs import LONG_MODES, MAX_SIZE, WINDOWED, sampler_inputs

DEFAULT_FPS = 12.0
NODE = "T2V Sampler"
DECODING = 1 / 8  # of a step of the progress bar for every frame


class A2VT2VSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="A2VT2VSampler",
            display_name="T2V Sampler",
            category=CATEGORY,
            description=(
                "Samples a video whose frames follow the sound: the words of the audio tokens stand in the "
                "prompt, each frame with its own. Works without audio tokens (text only) and with nothing "
                "but them in the prompt."
            ),
            inputs=sampler_inputs(),
            outputs=[
                io.Image.Output(display_name="images", tooltip="The frames."),
                io.Latent.Output(
                    display_name="latent", tooltip="The frames' latents, as SD 1.x has them; for VAE Decode."
                ),
                io.Float.Output(display_name="fps", tooltip="Frames per second; connect it to Create Video."),
                io.Audio.Output(
                    display_name="audio",
                    tooltip=(
                        "The sound in its own quality, cut or padded with silence to exactly num_frames / "
                        "fps seconds; nothing without a sound. More than two channels are mixed to one."
                    ),
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        width: int | None = None,
        height: int | None = None,
        scheduler: str | None = None,
        long_video: str | None = None,
        speed: str | None = None,
    ) -> bool | str:
        for side, pixels in (("width", width), ("height", height)):
            if isinstance(pixels, int) and pixels and (pixels < 0 or pixels > MAX_SIZE or pixels % 8):
                nearest = min(max(8, 8 * round(pixels / 8)), MAX_SIZE)
                return (
                    f"{side} is {pixels} pixels: it must be divisible by 8 and at most {MAX_SIZE}, such as "
                    f"{nearest}; 0 = the size the model was trained at"
                )
        for name, value, choices in (
            ("scheduler", scheduler, SCHEDULERS),
            ("long_video", long_video, LONG_MODES),
            ("speed", speed, SPEEDS),
        ):
            known = check_choice(name, value, choices)
            if known is not True:
                return known
        return True

    @classmethod
    def execute(
        cls,
        model: ManagedT2V,
        prompt: str,
        negative_prompt: str,
        width: int,
        height: int,
        num_frames: int,
        fps: float,
        steps: int,
        cfg: float,
        scheduler: str,
        seed: int,
        decode_chunk: int,
        batch_index: int,
        audio_tokens: Tokens | None = None,
        audio: Any = None,
        long_video: str = WINDOWED,
        window_stride: int = 0,
        closed_loop: bool = False,
        resume: bool = False,
        speed: str = EXACT,
        sound_cfg: float = -1.0,
    ) -> io.NodeOutput:
        fps = _fps(fps, audio_tokens)
        sound = None if audio is None else read_audio(audio, NODE)
        frames = num_frames or _natural_length(model, audio_tokens, sound, fps)
        settings = SampleSettings(
            steps,
            cfg,
            scheduler,
            seed,
            width,
            height,
            frames,
            speed,
            None if audio_tokens is None else _sound_scale(sound_cfg),
        ).resolved(model.spec)
        clip = None if sound is None else clip_sound(*sound, batch_index, frames, fps, NODE)

        contexts = model.encode_prompts(prompt, negative_prompt, audio_tokens, settings)
        decoding = math.ceil(frames * DECODING)
        progress = runtime.Progress(steps + decoding)
        show = runtime.latent_previewer(model.spec.latent_format, model.spec.latent_channels)
        done = 0

        def after_step(step: int, total: int, estimate: Tensor, latents: Tensor) -> None:
            nonlocal done
            done = step + 1
            progress(done, total + decoding, show and show(estimate))

        long = _long_settings(long_video, window_stride, closed_loop)
        kept = runtime.sampling_progress() if resume else None
        latents = model.sample(contexts, settings, after_step, long=long, progress=kept)
        pictures = runtime.Frames(frames)
        with closing(model.decode(latents, decode_chunk, speed)) as parts:  # Cancel ends it here and now
            for part in parts:
                pictures.add(part)
                progress(done + round(decoding * pictures.done / frames), done + decoding)
        if kept is not None:
            kept.finish()
        samples = runtime.intermediate(latents[0].movedim(0, 1) / model.spec.latent_scale)
        return io.NodeOutput(pictures.whole(), {"samples": samples}, fps, clip)


def _fps(fps: float, tokens: Tokens | None) -> float:
    if not (math.isfinite(fps) and fps >= 0):
        raise A2VError(
            f"{NODE}: fps is {fps}: expected frames per second, or 0 for those of the audio tokens"
        )
    if tokens is None:
        return fps or DEFAULT_FPS
    if fps and not math.isclose(fps, tokens.fps, rel_tol=1e-6):
        raise A2VError(
            f"{NODE}: fps is {fps:g}, but the audio tokens were made for {tokens.fps:g} frames per second. "
            "Set fps to 0 (as the audio tokens), or change it in AudioMapper"
        )
    return tokens.fps


def _sound_scale(sound_cfg: float) -> float | None:
    if sound_cfg != -1 and not sound_cfg >= 0:
        raise A2VError(f"{NODE}: sound_cfg is {sound_cfg:g}: expected 0 or more, or -1 = as cfg")
    return None if sound_cfg == -1 else sound_cfg


def _long_settings(long_video: str, stride: int, closed_loop: bool) -> LongSettings | None:
    if long_video not in LONG_MODES:
        raise A2VError(f"{NODE}: {check_choice('long_video', long_video, LONG_MODES)}")
    mode = LONG_MODES[long_video]
    return None if mode is None else LongSettings(mode, stride=stride, closed_loop=closed_loop)


def _natural_length(
    model: ManagedT2V, tokens: Tokens | None, sound: tuple[Tensor, int] | None, fps: float
) -> int:
    if tokens is not None:
        return tokens.num_frames
    if sound is not None:
        samples, rate = sound
        return frames_for(samples.shape[-1] / rate, fps)
    return model.spec.native_frames
