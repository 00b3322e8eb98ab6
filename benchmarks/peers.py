"""What users would run instead of this library's sampler: diffusers' pipeline, and the published inference.

Both take the same folder, prompts, first noise, scheduler, steps and sizes, and are stopped between stages.

Legend: F video frames, L text positions, C text width, c latent channels, h w latent size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from a2v_core.backbones import PARTS
from a2v_core.backbones.unet3d import load_unet3d, per_frame_text
from a2v_core.prompts import encode_ids, text_length, tokenize_prompt
from a2v_core.sampling import decode_video
from a2v_core.schedules import make_scheduler
from a2v_core.tokens import AudioTokens

from .clip import Laps


@dataclass(frozen=True)
class Clip:
    """What to sample: the same for every contestant. latents: first noise [1, c, F, h, w] of the seed."""

    prompt: str
    seed: int
    latents: Tensor
    steps: int
    guidance_scale: float
    scheduler: str
    pixels: int

    @property
    def num_frames(self) -> int:
        """Frames of the clip."""
        return int(self.latents.shape[2])


class DiffusersPipeline:
    """TextToVideoSDPipeline, as diffusers makes it from the folder. It knows no sound."""

    def __init__(
        self, folder: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        from diffusers import TextToVideoSDPipeline
        from diffusers.utils import logging

        level = logging.get_verbosity()
        logging.set_verbosity_error()  # its class is deprecated, and says so
        self._pipeline = TextToVideoSDPipeline.from_pretrained(
            str(folder), local_files_only=True, torch_dtype=dtype
        ).to(device)
        logging.set_verbosity(level)
        self._pipeline.set_progress_bar_config(disable=True)

    @torch.no_grad()
    def make(self, clip: Clip, laps: Laps) -> Tensor:
        """Frames [F, H, W, 3]."""
        pipeline = self._pipeline
        # As diffusers' users change it: what the model's file leaves open is the new scheduler's own default.
        kind = type(make_scheduler(clip.scheduler, {}))
        pipeline.scheduler = kind.from_config(pipeline.scheduler.config)
        prompt, negative = pipeline.encode_prompt(
            clip.prompt, pipeline.device, 1, clip.guidance_scale != 1, ""
        )
        laps.lap("text")
        latents = pipeline(
            prompt_embeds=prompt,
            negative_prompt_embeds=negative,
            num_frames=clip.num_frames,
            height=clip.pixels,
            width=clip.pixels,
            num_inference_steps=clip.steps,
            guidance_scale=clip.guidance_scale,
            latents=clip.latents.to(pipeline.device, pipeline.unet.dtype, copy=True),
            output_type="latent",
        ).frames
        laps.lap("sampling")
        video = pipeline.decode_latents(latents)
        frames: Tensor = (video[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 3, 0).cpu()
        laps.lap("VAE decode")
        return frames


class PublishedLoop:
    """What the published inference code does for a clip (TempoTokens, inference.py at bf0b1e3).

    Every clip loads the text-to-video model again; the text encoder runs once per frame for the prompt, and
    the negative text is repeated for all frames; both branches go through the stock UNet in one batch; the
    VAE decodes eight frames at once. Its own UNet differs from the stock one in one line, which the hooks
    of `per_frame_text` replace with equal numbers.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @torch.no_grad()
    def make(self, clip: Clip, tokens: AudioTokens, laps: Laps) -> Tensor:
        """Frames [F, H, W, 3]."""
        model, unet = load_unet3d(self._folder, "fp32", PARTS), _stock_unet(self._folder)
        laps.lap("load")
        frames = clip.num_frames
        length = text_length(model.text_encoder, model.tokenizer)
        text = tokenize_prompt(model.tokenizer, clip.prompt, tokens.words, length)
        words = torch.stack([tokens.words[word] for word in text.words], dim=1)
        prompt = encode_ids(model.text_encoder, text.ids.expand(frames, -1), words, text.first_word_id)
        empty = tokenize_prompt(model.tokenizer, "", None, length)
        negative = encode_ids(model.text_encoder, empty.ids[None]).expand(frames, -1, -1)
        context = torch.stack([negative, prompt])
        laps.lap("text")
        scheduler: Any = make_scheduler(clip.scheduler, model.scheduler_config)
        scheduler.set_timesteps(clip.steps)
        x = clip.latents * scheduler.init_noise_sigma
        with per_frame_text(unet):
            for t in scheduler.timesteps:
                both = scheduler.scale_model_input(torch.cat([x, x]), t)
                uncond, cond = unet(both, t, context).sample.chunk(2)
                prediction = uncond + clip.guidance_scale * (cond - uncond)
                x = scheduler.step(prediction, t, x).prev_sample
        laps.lap("sampling")
        decoded = decode_video(model, x)
        laps.lap("VAE decode")
        return decoded


def _stock_unet(folder: Path) -> Any:
    from diffusers import UNet3DConditionModel

    unet = UNet3DConditionModel.from_pretrained(
        str(folder / "unet"), local_files_only=True, torch_dtype=torch.float32
    )
    return unet.eval().requires_grad_(False)
