"""An audio adapter on one of ComfyUI's own MODELs: patches, a wrapper, and keys in every conditioning.

Tokens and gates travel in the conditioning (`model_conds`), so that positive and negative go through the
model in one batch, and nothing is encoded again at a step. Around the model a wrapper takes those of the
call, cut to the context window, and hands them to the patches on the blocks by way of `transformer_options`.

Legend: B rows of the batch, T latent frames of the video, n audio tokens of each, D their width.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import comfy.conds
import comfy.patcher_extension
import comfy.samplers
import torch
from torch import Tensor

from ..a2v_core.errors import A2VError
from .adapter import ManagedAdapter
from .block_patch import BlockPatch, Heard
from .core_dit import CoreDiT, arguments_of, video_frames, video_tokens

Conditioning = list[list[Any]]
ALWAYS = (math.inf, 0.0)
_SILENT = uuid.UUID("6a0b6a5e-0f0c-4a53-9d3c-0d5f4b0a7f21")  # names the ids of conditionings without sound


@dataclass(frozen=True)
class Hearing:
    """An audio adapter as it is applied to a MODEL once.

    key           what says this application from others; tokens and gate stand under it in conditionings
    frames        T that the tokens are for
    start, end    sigmas between which the model hears
    """

    key: str
    adapter: ManagedAdapter
    dit: CoreDiT
    frames: int
    start: float
    end: float

    def __deepcopy__(self, memo: Any) -> Hearing:
        return self  # ComfyUI 0.3.75 copies all options of a MODEL that is cloned: the weights stay one

    def applied(self, model: Any) -> Any:
        """A clone of the MODEL whose blocks hear, after whatever else is there."""
        hearing = model.clone()
        replaced = hearing.model_options["transformer_options"].get("patches_replace", {}).get("dit", {})
        for block in self.adapter.config.blocks:
            previous = replaced.get(("double_block", block))
            patch = BlockPatch(self.key, self.adapter, block, previous)
            hearing.set_model_patch_replace(patch, "dit", "double_block", block)
        kinds = comfy.patcher_extension.WrappersMP
        hearing.add_wrapper_with_key(kinds.OUTER_SAMPLE, self.key, self._sample)
        hearing.add_wrapper_with_key(kinds.DIFFUSION_MODEL, self.key, self._call)
        return hearing

    def conditioned(self, conditioning: Conditioning, tokens: Tensor, gate: Tensor) -> Conditioning:
        """The CONDITIONING with tokens [1, T, n, D] and gate [1, T]."""
        # Flat: ComfyUI cuts what has the number of frames in one of its dimensions to a context window.
        own = {
            f"{self.key}_tokens": comfy.conds.CONDRegular(tokens.flatten(1, 2)),
            f"{self.key}_gate": comfy.conds.CONDRegular(gate),
        }
        return [
            [text, {**options, "model_conds": {**options.get("model_conds", {}), **own}}]
            for text, options in conditioning
        ]

    def silenced(self, conds: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Conditionings as a sampler has them, without this sound.

        They get ids of their own, by which EasyCache keeps results.
        """
        name = f"{self.key}_gate"

        def silent(cond: dict[str, Any]) -> dict[str, Any]:
            conds = cond["model_conds"]
            gate = comfy.conds.CONDRegular(torch.zeros_like(conds[name].cond))
            own = uuid.uuid5(_SILENT, f"{self.key} {cond.get('uuid')}")
            return {**cond, "uuid": own, "model_conds": {**conds, name: gate}}

        return [silent(cond) if name in cond["model_conds"] else cond for cond in conds]

    def hears(self, sigma: Tensor) -> bool:
        """Whether the model hears at this noise."""
        if (self.start, self.end) == ALWAYS:
            return True  # asking a tensor would wait for the GPU
        return self.end <= float(sigma.flatten()[0]) <= self.start

    def _sample(self, executor: Any, noise: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Wrapper of a whole sampling: A2VError when what comes together does not fit together."""
        conds = [cond for conds in executor.class_obj.conds.values() for cond in conds]
        if not any(f"{self.key}_tokens" in cond.get("model_conds", {}) for cond in conds):
            raise A2VError(
                "Apply Audio Adapter: this model hears, but the conditionings at the sampler do not come "
                "from that node: connect its positive and negative too"
            )
        guides = next((cond["keyframe_idxs"] for cond in conds if "keyframe_idxs" in cond), None)
        found = video_frames({"x": noise, "keyframe_idxs": guides}, self.dit.family)
        if found != self.frames:
            spec = self.dit.family.spec
            own, other = (spec.frames_of(count - 1).stop for count in (self.frames, found))
            raise A2VError(
                f"Apply Audio Adapter: the audio tokens are for {own} frames ({self.frames} latent frames), "
                f"the latent has {other} frames ({found} latent frames): set num_frames of AudioMapper to "
                f"{other}, or make the latent {own} frames long"
            )
        return executor(noise, *args, **kwargs)

    def _call(self, executor: Any, *args: Any, **kwargs: Any) -> Any:
        """Wrapper of the diffusion model: takes tokens and gate out of a call, and tells the blocks."""
        tokens, gate = (kwargs.pop(f"{self.key}_{name}", None) for name in ("tokens", "gate"))
        place, options = _options_in(args, kwargs)
        if tokens is None or gate is None or not self.hears(options["sigmas"]):
            return executor(*args, **kwargs)
        arguments = arguments_of(executor.original, args, kwargs)
        tokens = tokens.unflatten(1, (self.frames, -1))
        index = self._window(video_frames(arguments, self.dit.family), options.get("context_window"))
        rows = [row for row, heard in enumerate(gate.ne(0).any(1).tolist()) if heard]
        if not rows:
            return executor(*args, **kwargs)
        video = video_tokens(executor.class_obj, arguments, self.dit.family)
        heard = Heard(tokens[rows][:, index], gate[rows][:, index], rows, video)
        told = {**options, self.key: heard}
        # In the same place: other wrappers, such as EasyCache's, look for the options there.
        if place is None:
            return executor(*args, **{**kwargs, "transformer_options": told})
        return executor(*args[:place], told, *args[place + 1 :], **kwargs)

    def _window(self, frames: int, window: Any) -> list[int]:
        """The latent frames of a call: those of a context window, with the frame that newer versions put
        before one. A2VError for a length that is neither a window's nor the whole."""
        if window is not None and window.dim == 2:
            anchor = getattr(window, "causal_anchor_index", None)
            index = [*([anchor] if anchor is not None and anchor >= 0 else []), *window.index_list]
            if len(index) == frames:
                return index
        if frames == self.frames:
            return list(range(frames))
        raise A2VError(
            f"Apply Audio Adapter: the model is called with {frames} latent frames, the audio tokens are for "
            f"{self.frames}: another node changes the frames of the video in a way that is not known here"
        )


@dataclass(frozen=True)
class SoundGuidance:
    """Guidance by the sound, after whatever other guidance: away from what the model does without it.

    result + (scale - 1) * (with sound - without), both of the positive conditioning; as published for HuMo
    (arXiv 2509.08519) and FantasyTalking (arXiv 2504.04842). One more call of the model at every step.
    """

    hearing: Hearing
    scale: float

    def __deepcopy__(self, memo: Any) -> SoundGuidance:
        return self

    def __call__(self, args: Mapping[str, Any]) -> Tensor:
        denoised: Tensor = args["denoised"]
        if not self.hearing.hears(args["sigma"]):
            return denoised
        (without,) = comfy.samplers.calc_cond_batch(
            args["model"],
            [self.hearing.silenced(args["cond"])],
            args["input"],
            args["sigma"],
            args["model_options"],
        )
        return denoised + (self.scale - 1) * (args["cond_denoised"] - without)


def _options_in(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[int | None, dict[str, Any]]:
    """Where a call of a diffusion model has its transformer_options: the position (None: by keyword)."""
    for place, value in enumerate(args):
        if isinstance(value, dict) and "sigmas" in value:
            return place, value
    return None, kwargs["transformer_options"]
