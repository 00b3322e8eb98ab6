"""T2V Sampler: a prompt, with the words of a sound in it, -> video frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io

from ..a2v_core.errors import A2VError
from ..a2v_core.media import Waveform
from ..a2v_core.pipeline import VideoRequest
from ..a2v_core.sampling import EXACT, SPEEDS, SampleSettings
from ..a2v_core.sampling.long import LongSettings
from ..a2v_core.schedules import SCHEDULERS
from ..a2v_core.tokens import AudioTokens as Tokens
from . import runtime
from .sockets import CATEGORY, check_choice
from .sound import as_audio, one_sound
from .t2v_model import ManagedT2V
from .t2v_sampler_inputs import LONG_MODES, MAX_SIZE, SIZE_STEP, WINDOWED, sampler_inputs

NODE = "T2V Sampler"


@dataclass(frozen=True)
class SamplerValues:
    """The values of the node's widgets and sockets, but for the model and the sound."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    num_frames: int
    fps: float
    steps: int
    cfg: float
    scheduler: str
    seed: int
    decode_chunk: int
    batch_index: int
    audio_tokens: Tokens | None = None
    long_video: str = WINDOWED
    window_stride: int = 0
    closed_loop: bool = False
    resume: bool = False
    speed: str = EXACT
    sound_cfg: float = -1.0
    takes: int = 1

    def request(self, sound: Waveform | None) -> VideoRequest:
        """What is asked of the library. A2VError for a value that only this node knows."""
        settings = SampleSettings(
            self.steps,
            self.cfg,
            self.scheduler,
            self.seed,
            self.width,
            self.height,
            self.num_frames,
            self.speed,
            self._sound_guidance(),
        )
        return VideoRequest(
            self.prompt,
            self.audio_tokens,
            self.negative_prompt,
            sound=sound,
            fps=self.fps,
            settings=settings,
            long=self._long(),
            decode_chunk=self.decode_chunk,
        )

    def _sound_guidance(self) -> float | None:
        if self.sound_cfg != -1 and not self.sound_cfg >= 0:
            raise A2VError(f"{NODE}: sound_cfg is {self.sound_cfg:g}: expected 0 or more, or -1 = as cfg")
        return None if self.sound_cfg == -1 else self.sound_cfg

    def _long(self) -> LongSettings | None:
        if self.long_video not in LONG_MODES:
            raise A2VError(f"{NODE}: {check_choice('long_video', self.long_video, LONG_MODES)}")
        mode, stride = LONG_MODES[self.long_video], self.window_stride
        return None if mode is None else LongSettings(mode, stride=stride, closed_loop=self.closed_loop)


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
                io.Image.Output(
                    display_name="images", tooltip="The frames; of every take.", is_output_list=True
                ),
                io.Latent.Output(
                    display_name="latent",
                    tooltip="The frames' latents, as SD 1.x has them; for VAE Decode.",
                    is_output_list=True,
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
            if isinstance(pixels, int) and pixels and (pixels < 0 or pixels > MAX_SIZE or pixels % SIZE_STEP):
                nearest = min(max(SIZE_STEP, SIZE_STEP * round(pixels / SIZE_STEP)), MAX_SIZE)
                return (
                    f"{side} is {pixels} pixels: it must be divisible by {SIZE_STEP} and at most {MAX_SIZE}, "
                    f"such as {nearest}; 0 = the size the model was trained at"
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
    def execute(cls, model: ManagedT2V, audio: Any = None, **values: Any) -> io.NodeOutput:
        own = SamplerValues(**values)
        sound = None if audio is None else one_sound(audio, own.batch_index, NODE)
        request = own.request(sound).resolved(model.spec)
        watcher = runtime.SamplingProgress(model.spec, request.settings, own.takes)
        made = model.generate_takes(
            request,
            own.takes,
            watcher,
            progress=runtime.kept_steps() if own.resume else None,
            room=runtime.frame_room,
        )
        videos = list(made)
        return io.NodeOutput(
            [video.frames for video in videos],
            [{"samples": runtime.latent_samples(model.spec, video.latents)} for video in videos],
            videos[0].fps,
            None if videos[0].sound is None else as_audio(videos[0].sound),
        )
