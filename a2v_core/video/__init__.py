"""Tokens to frames: prompt splicing, the frozen text-to-video model, sampling, and video files."""

from __future__ import annotations

from ..media import VideoClip, VideoInfo, probe_video, read_video, write_video
from .backbone import Backbone
from .context import FrameContext
from .load import DTYPES, load_t2v, load_vae
from .per_frame import PerFrameText, denoise, per_frame_text
from .prompt_ids import PromptIds, tokenize_prompt
from .recompute import checkpoint_blocks, checkpoint_layers
from .sampler import StepCallback, sample
from .schedulers import DEFAULT_SCHEDULER, SCHEDULERS, make_scheduler
from .settings import SampleSettings
from .splice import check_token_width, encode_clips, encode_ids, encode_prompt
from .unet3d import UNet3DBackbone

__all__ = [
    "DEFAULT_SCHEDULER",
    "DTYPES",
    "SCHEDULERS",
    "Backbone",
    "FrameContext",
    "PerFrameText",
    "PromptIds",
    "SampleSettings",
    "StepCallback",
    "UNet3DBackbone",
    "VideoClip",
    "VideoInfo",
    "check_token_width",
    "checkpoint_blocks",
    "checkpoint_layers",
    "denoise",
    "encode_clips",
    "encode_ids",
    "encode_prompt",
    "load_t2v",
    "load_vae",
    "make_scheduler",
    "per_frame_text",
    "probe_video",
    "read_video",
    "sample",
    "tokenize_prompt",
    "write_video",
]
