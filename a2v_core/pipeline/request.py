"""What video to make, and the video that was made.

Legend: F video frames, H W picture size in pixels, c latent channels, f latent frames, h w latent size.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from torch import Tensor

from ..backbones import BackboneSpec
from ..errors import A2VError
from ..media import Waveform, fit_sound
from ..prompts import FrameContext
from ..sampling import SampleSettings
from ..sampling.long import LongSettings
from ..tokens import AudioTokens, frames_for

DEFAULT_FPS = 12.0


@dataclass(frozen=True)
class VideoRequest:
    """A video to be made.

    prompt           text, with the words of the audio tokens anywhere in it; a model that hears them beside
                     the text needs none
    tokens           what the audio words stand for; None = text alone
    negative_prompt  what guidance leads away from; `negative_tokens` are for audio words in it
    sound            goes with the video, cut to its length; it does not steer
    fps              frames per second; 0 = those of the tokens, without tokens `DEFAULT_FPS`
    settings         how to sample; num_frames 0 = as the tokens, else as long as the sound, else the model's
                     own number
    long             how a video longer than the model's own clips is made; None = all frames at once
    decode_chunk     latent frames that are decoded at once; 0 = as many as fit into memory
    """

    prompt: str
    tokens: AudioTokens | None = None
    negative_prompt: str = ""
    negative_tokens: AudioTokens | None = None
    sound: Waveform | None = None
    fps: float = 0.0
    settings: SampleSettings = field(default_factory=SampleSettings)
    long: LongSettings | None = field(default_factory=LongSettings)
    decode_chunk: int = 0

    def resolved(self, spec: BackboneSpec) -> VideoRequest:
        """The same with every 0 replaced by its number for a model, and the sound as long as the video.

        Resolving it again changes nothing. A2VError for values that cannot be, or not together.
        """
        fps, settings = self._frame_rate(), self.settings_for(spec)
        sound = None if self.sound is None else fit_sound(self.sound, settings.num_frames, fps)
        return replace(self, settings=settings, fps=fps, sound=sound)

    def settings_for(self, spec: BackboneSpec) -> SampleSettings:
        """Those of `resolved`."""
        frames = self.settings.num_frames or self._natural_length(spec, self._frame_rate())
        sound_guidance = None if self.tokens is None else self.settings.sound_guidance
        return replace(self.settings, num_frames=frames, sound_guidance=sound_guidance).resolved(spec)

    def _frame_rate(self) -> float:
        if not (math.isfinite(self.fps) and self.fps >= 0):
            raise A2VError(
                f"fps is {self.fps}: expected frames per second, or 0 for those of the audio tokens"
            )
        if self.tokens is None:
            return self.fps or DEFAULT_FPS
        if self.fps and not math.isclose(self.fps, self.tokens.fps, rel_tol=1e-6):
            raise A2VError(
                f"fps is {self.fps:g}, but the audio tokens were made for {self.tokens.fps:g} frames per "
                "second. Set fps to 0 (as the audio tokens), or change it in AudioMapper"
            )
        return self.tokens.fps

    def _natural_length(self, spec: BackboneSpec, fps: float) -> int:
        if self.tokens is not None:
            return self.tokens.num_frames
        if self.sound is not None:
            return spec.nearest_frames(frames_for(self.sound.duration, fps))
        return spec.native_frames


class Contexts(NamedTuple):
    """The texts of a request, for every frame: of the prompt, and of what guidance needs beside it."""

    prompt: FrameContext
    negative: FrameContext | None = None
    text: FrameContext | None = None  # the prompt without its sound


@dataclass(frozen=True)
class Video:
    """A video: frames float32 [F, H, W, 3] in 0..1, their latents [1, c, f, h, w], and a sound as long."""

    frames: Tensor
    latents: Tensor
    fps: float
    sound: Waveform | None = None

    def save(self, path: str | os.PathLike[str], crf: int = 18) -> None:
        """Write an mp4 with picture and sound. See `write_video`."""
        from ..media import write_video  # PyAV only where a file is written

        write_video(path, self.frames, self.fps, self.sound, crf=crf)
