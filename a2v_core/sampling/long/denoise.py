"""Predictions for videos longer than a model's own clips, from windows that overlap.

Legend: B guidance branches, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...backbones import Backbone, LongWork, WindowedAttention, Windows, make_windows, require
from ...prompts import ContextBatch
from .settings import ATTENTION, LongSettings


class LongDenoise:
    """What a backbone predicts for a video of any length, as `settings` say.

    Guidance branches run one after the other, on as many frames at once as all branches of one window have
    together, so that memory for work is that of a short clip. What sees no text runs once.
    A2VError for mode "attention" with a backbone that cannot look at windows inside.
    """

    def __init__(self, backbone: Backbone, settings: LongSettings) -> None:
        self._backbone, self._settings = backbone, settings.resolved(backbone.spec)
        self._inside: WindowedAttention | None = None
        if settings.mode == ATTENTION:
            what = "long mode 'attention' ('model', in T2V Sampler 'whole-model windows', runs any model)"
            self._inside = require(backbone, WindowedAttention, what)

    def __call__(self, x: Tensor, t: Tensor, context: ContextBatch) -> Tensor:
        """See `Backbone.denoise`: latents [1 or B, c, f, h, w], any f."""
        own = self._settings
        if not own.has_windows(x.shape[2]):
            return self._backbone.denoise(x, t, context)
        windows = make_windows(x.shape[2], own.window, own.stride, own.closed_loop)
        if self._inside is not None:
            work = LongWork(own.window, own.closed_loop, own.on_cpu)
            return self._inside.denoise_windowed(x, t, context, windows, work)
        x = x.expand(len(context), -1, -1, -1, -1)
        rows = range(len(context))
        return torch.cat([self._in_windows(x[b : b + 1], t, context.rows([b]), windows) for b in rows])

    def _in_windows(self, x: Tensor, t: Tensor, context: ContextBatch, windows: Windows) -> Tensor:
        total = torch.zeros(x.shape, dtype=torch.float32, device=x.device)
        shares = torch.zeros(windows.index.numel())
        for k in range(windows.places.shape[1]):
            shares[windows.places[:, k]] += windows.weights[:, k]
        for index, share in zip(windows.index, shares.reshape(windows.index.shape), strict=True):
            here = index.to(x.device)
            part = self._backbone.denoise(x[:, :, here], t, context.frames(index))
            total[:, :, here] += part.to(total) * share.to(total.device)[:, None, None]
        return total
