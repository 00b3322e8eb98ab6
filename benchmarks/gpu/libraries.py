"""Imports what most parts need: once, in the process that those of the parts are forked from.

A process that has begun with CUDA can't be forked: diffusers' question whether there is a GPU goes to NVML
instead. What can't be imported here is named by the parts that need it.
"""

from __future__ import annotations

import contextlib
import importlib
import os

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

from .parts import PARTS

with contextlib.suppress(Exception):
    import diffusers
    import transformers

    _ = diffusers.TextToVideoSDPipeline, diffusers.UNet3DConditionModel, diffusers.AutoencoderKLWan
    _ = transformers.CLIPTextModel, transformers.CLIPTokenizer, diffusers.WanTransformer3DModel
for part in PARTS:
    with contextlib.suppress(Exception):
        importlib.import_module(part.module)
