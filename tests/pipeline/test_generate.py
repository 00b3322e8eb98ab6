"""A request through a real, tiny text-to-video model: in one call and stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from a2v_core.audio import Waveform
from a2v_core.backbones import Backbone, Part
from a2v_core.media import load_audio, read_video
from a2v_core.pipeline import InPlace, Video, VideoPipeline, VideoRequest, Watcher
from a2v_core.sampling import SampleSettings, decode_video, find_speed, in_precision_of, sample
from a2v_core.sampling.long import LongSettings, Progress, sample_long
from tests.pipeline.tiny import tokens_of

# diffusers hands torch tensors to NumPy in ways that NumPy 2 will drop
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
SMALL = SampleSettings(2, 3.0, seed=4, width=16, height=24)
PROMPT = "a <temp> of <class>"


class Noted(InPlace):
    """Notes what is asked of a memory manager, and says that `bytes` are free."""

    def __init__(self, backbone: Backbone, free: float) -> None:
        super().__init__(backbone)
        self.asked: list[tuple[Part, float]] = []
        self._bytes = free

    @contextmanager
    def loaded(self, part: Part, work: float) -> Iterator[None]:
        self.asked.append((part, work))
        yield

    def free(self, part: Part) -> float:
        return self._bytes


class Noting(Watcher):
    def __init__(self, stop_at: int = -1) -> None:
        self.steps: list[tuple[int, int]] = []
        self.frames: list[tuple[int, int]] = []
        self.takes: list[int] = []
        self._stop_at = stop_at

    def take(self, number: int) -> None:
        self.takes.append(number)

    def sampled(self, step: int, total: int, estimate: Tensor, latents: Tensor) -> None:
        assert estimate.shape == latents.shape
        self.steps.append((step, total))
        if step == self._stop_at:
            raise KeyboardInterrupt

    def decoded(self, done: int, total: int) -> None:
        self.frames.append((done, total))


def by_hand(backbone: Backbone, frames: int, speed: str = "exact") -> tuple[Tensor, Tensor]:
    settings = SampleSettings(2, 3.0, seed=4, width=16, height=24, num_frames=frames, speed=speed)
    positive = backbone.encode_prompt(PROMPT, tokens_of(frames), frames)
    latents = sample(backbone, positive, backbone.encode_prompt("", None, frames), settings)
    with in_precision_of(find_speed(speed), backbone, "vae"):
        return latents, decode_video(backbone, latents)


@pytest.mark.parametrize("speed", ["exact", "fast", "few_steps"])
def test_one_call_is_the_stages_by_hand(speed: str, backbone: Backbone, sound: Waveform) -> None:
    settings = SampleSettings(2, 3.0, seed=4, width=16, height=24, speed=speed)
    request = VideoRequest(PROMPT, tokens_of(4), sound=sound, settings=settings)
    video = VideoPipeline(backbone).generate(request)
    latents, frames = by_hand(backbone, 4, speed)
    assert torch.equal(video.latents, latents)
    assert torch.equal(video.frames, frames)
    assert video.frames.shape == (4, 24, 16, 3)
    assert video.fps == 8.0
    assert video.sound is not None
    assert video.sound.samples.shape[1] == round(4 / 8 * 22050)


def test_a_long_video(backbone: Backbone) -> None:
    frames = backbone.spec.native_frames + 4
    long = LongSettings("model", stride=2)
    request = VideoRequest(PROMPT, tokens_of(frames), settings=SMALL, long=long)
    settings = request.resolved(backbone.spec).settings
    positive = backbone.encode_prompt(PROMPT, tokens_of(frames), frames)
    expected = sample_long(backbone, positive, backbone.encode_prompt("", None, frames), settings, long)
    assert torch.equal(VideoPipeline(backbone).generate(request).latents, expected)


def test_kept_steps_go_when_the_frames_are_there(backbone: Backbone, tmp_path: Path) -> None:
    frames = backbone.spec.native_frames + 4
    request = VideoRequest(PROMPT, tokens_of(frames), settings=SMALL)
    pipeline = VideoPipeline(backbone)
    whole = pipeline.generate(request)
    with pytest.raises(KeyboardInterrupt):
        pipeline.generate(request, Noting(stop_at=0), progress=Progress(tmp_path))
    assert len(list(tmp_path.rglob("*.safetensors"))) > 0
    resumed = pipeline.generate(request, progress=Progress(tmp_path))
    assert torch.equal(resumed.frames, whole.frames)
    assert list(tmp_path.iterdir()) == []


def test_texts_that_guidance_does_not_need_are_not_encoded(backbone: Backbone) -> None:
    pipeline = VideoPipeline(backbone)
    guided = pipeline.encode(VideoRequest(PROMPT, tokens_of(4), settings=SMALL))
    assert guided.negative is not None
    assert guided.text is None
    alone = pipeline.encode(VideoRequest(PROMPT, tokens_of(4), settings=SampleSettings(2, 1.0)))
    assert alone.negative is None
    sound = pipeline.encode(
        VideoRequest(PROMPT, tokens_of(4), settings=SampleSettings(2, 3.0, sound_guidance=1.0))
    )
    assert sound.text is not None
    plain = backbone.encode_prompt("a of", None, 4)
    assert torch.equal(sound.text.per_frame, plain.per_frame)


def test_guidance_may_lead_away_from_another_sound(backbone: Backbone) -> None:
    silent = tokens_of(4)
    silent = type(silent)({word: rows.flip(0) for word, rows in silent.words.items()}, silent.fps)
    pipeline = VideoPipeline(backbone)
    request = VideoRequest(PROMPT, tokens_of(4), PROMPT, silent, settings=SMALL)
    found = pipeline.encode(request).negative
    assert found is not None
    assert torch.equal(found.per_frame, backbone.encode_prompt(PROMPT, silent, 4).per_frame)
    same = pipeline.encode(VideoRequest(PROMPT, tokens_of(4), PROMPT, settings=SMALL)).negative
    assert same is not None
    assert torch.equal(same.per_frame, backbone.encode_prompt(PROMPT, tokens_of(4), 4).per_frame)


def test_parts_are_loaded_when_their_turn_comes(backbone: Backbone) -> None:
    memory = Noted(backbone, free=1e15)
    pipeline = VideoPipeline(backbone, memory)
    request = VideoRequest(PROMPT, tokens_of(4), settings=SMALL)
    pipeline.generate(request)
    assert [part for part, _ in memory.asked] == ["text", "text", "denoiser", "vae"]
    grid = request.resolved(backbone.spec).settings.grid(backbone.spec)
    assert memory.asked[2][1] == backbone.work_bytes("denoiser", grid, 2)
    pipeline.generate(request)  # a second time nothing is encoded
    assert [part for part, _ in memory.asked[4:]] == ["denoiser", "vae"]


def test_a_long_video_asks_for_the_memory_of_a_window(backbone: Backbone) -> None:
    native = backbone.spec.native_frames
    asked = []
    for frames, long in ((native, None), (4 * native, LongSettings()), (4 * native, None)):
        memory = Noted(backbone, free=1e15)
        pipeline = VideoPipeline(backbone, memory)
        request = VideoRequest("a ball", settings=SampleSettings(1, 1.0, num_frames=frames), long=long)
        pipeline.sample(request, pipeline.encode(request))
        asked.append(memory.asked[-1][1])
    assert asked[0] == asked[1]
    assert asked[2] == 4 * asked[0]


def test_little_memory_runs_the_branches_of_guidance_in_turn(backbone: Backbone) -> None:
    batches: list[int] = []
    denoiser = backbone.parts()["denoiser"][0]
    handle = denoiser.conv_in.register_forward_pre_hook(lambda module, args: batches.append(len(args[0])))  # type: ignore[union-attr]
    request = VideoRequest(PROMPT, tokens_of(4), settings=SMALL)
    results = []
    try:
        for free in (1.0, 1e15):
            results.append(VideoPipeline(backbone, Noted(backbone, free)).generate(request))
            batches.append(-1)
    finally:
        handle.remove()
    few = batches[: batches.index(-1)]
    assert len(few) == 2 * len(batches[len(few) + 1 : -1])
    torch.testing.assert_close(results[0].latents, results[1].latents, atol=1e-4, rtol=0)


def test_takes_have_seeds_of_their_own_and_encode_once(backbone: Backbone) -> None:
    memory, watcher = Noted(backbone, 1e12), Noting()
    request = VideoRequest(PROMPT, tokens_of(5), settings=SMALL)
    takes = list(VideoPipeline(backbone, memory).generate_takes(request, 3, watcher))
    assert [part for part, _ in memory.asked].count("text") == 2  # the prompt and the negative one
    assert watcher.takes == [0, 1, 2]
    assert watcher.steps == 3 * [(0, 2), (1, 2)]
    for number, take in enumerate(takes):
        alone = VideoPipeline(backbone).generate(replace(request, settings=replace(SMALL, seed=4 + number)))
        assert torch.equal(take.latents, alone.latents)
        assert torch.equal(take.frames, alone.frames)
    assert not torch.equal(takes[0].frames, takes[1].frames)
    last = VideoRequest(PROMPT, tokens_of(5), settings=replace(SMALL, seed=2**64 - 1))
    assert torch.equal(
        list(VideoPipeline(backbone).generate_takes(last, 2))[1].latents,
        VideoPipeline(backbone).generate(replace(request, settings=replace(SMALL, seed=0))).latents,
    )


def test_frames_go_where_there_is_room_and_a_watcher_is_told(backbone: Backbone) -> None:
    shapes: list[tuple[int, ...]] = []

    def room(shape: tuple[int, ...]) -> Tensor:
        shapes.append(shape)
        return torch.zeros(shape, dtype=torch.float64)

    watcher = Noting()
    request = VideoRequest(PROMPT, tokens_of(5), settings=SMALL, decode_chunk=2)
    video = VideoPipeline(backbone).generate(request, watcher, room=room)
    assert shapes == [(5, 24, 16, 3)]
    assert video.frames.dtype == torch.float64
    assert watcher.steps == [(0, 2), (1, 2)]
    assert watcher.frames == [(2, 5), (4, 5), (5, 5)]


def test_a_video_is_saved_with_its_sound(sound: Waveform, tmp_path: Path) -> None:
    frames = torch.linspace(0, 1, 6)[:, None, None, None].expand(6, 16, 16, 3)
    Video(frames, torch.zeros(1), 6.0, sound).save(tmp_path / "video.mp4")
    found = read_video(tmp_path / "video.mp4")
    assert (len(found.frames), found.fps) == (6, 6.0)
    heard = load_audio(tmp_path / "video.mp4")
    assert heard.samples.shape == (2, 22050)
