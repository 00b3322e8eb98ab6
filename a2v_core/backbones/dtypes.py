"""Names of what the parts of a model compute in."""

from __future__ import annotations

import torch

FP8 = "fp8"  # bfloat16, with a denoiser whose weights are stored in 8 bits
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16, FP8: torch.bfloat16}
