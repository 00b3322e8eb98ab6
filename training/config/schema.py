"""The config of a training: one typed class per section of the YAML file.

Unknown keys and wrong types are errors. The defaults are those of the paper's published trainer where it has
the setting, except the layout of the mapper: new mappers are `time_aligned`. Times are in seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from a2v_core.backbones.dit import Placement, RouteName
from a2v_core.schedules import SCHEDULERS
from a2v_core.tokens import Layout, words_of

AnyPath = Annotated[Path, Field(strict=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]

DataLayout = Literal["folder", "vggsound", "landscape", "audioset_drums"]
Precision = Literal["fp32", "fp16", "bf16"]


class Section(BaseModel):
    """A part of the config."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


class Models(Section):
    """The frozen models, and initial weights of what is trained.

    beats    BEATs file, .pt or .safetensors
    t2v      text-to-video model, a folder in the diffusers layout
    mapper   initial weights (.safetensors, or the published learned_embeds.pth); empty: from scratch
    adapter  an audio adapter to go on from, its mapper included; empty: from scratch
    """

    beats: AnyPath
    t2v: AnyPath
    mapper: AnyPath | None = None
    adapter: AnyPath | None = None

    @model_validator(mode="after")
    def _check(self) -> Models:
        if self.mapper is not None and self.adapter is not None:
            raise ValueError("an adapter holds a mapper: set either models.mapper or models.adapter")
        return self


class Data(Section):
    """The data set, and how clips are cut.

    layout           folder, vggsound, landscape or audioset_drums: how the data set lies on disk
    root             its folder
    csv              list of ids, classes and splits; needed for vggsound, else optional
    exclude_ids      text file with one id a line to leave out (the paper: 55,735 ids of VGGSound)
    scores           csv `id,score` of the audio-visual correspondence of every file
    min_score        clips with a score below are left out
    min_av_align     measure AV-Align of every clip and leave out those below (0: do not measure)
    test_share       share of the files held out, by a hash of their id, where the data set has no split
    captions         source of captions: files (.txt beside the video), labels (class in the csv), none
    prompt           of clips without caption; {audio} stands for the audio words, which a model that hears
                     the sound beside the text (Wan) does not need
    caption_prompt   of clips with a caption that has no audio word itself; a long caption is cut at its end
    fps, num_frames  a clip has num_frames frames at fps, whatever the rate of its file
    width, height    pixels; pictures are resized and cropped to it and keep their aspect
    start            random: a random start for every clip; fixed: at start_seconds
    start_seconds    where a fixed clip starts in its file
    clips_per_video  number of random starts that precompute stores per file; 0 only without a cache: no end
    limit            use a random subset of this many files, to try things out (0: all)
    """

    layout: DataLayout
    root: AnyPath
    csv: AnyPath | None = None
    exclude_ids: AnyPath | None = None
    scores: AnyPath | None = None
    min_score: float = 0.0
    min_av_align: Share = 0.0
    test_share: Annotated[float, Field(ge=0, lt=1)] = 0.02
    captions: Literal["files", "labels", "none"] = "files"
    prompt: str = "a video of {audio}"
    caption_prompt: str = "a video of {audio}, {caption}"
    fps: Annotated[float, Field(gt=0, le=240)] = 24.0
    num_frames: Positive = 24
    width: Annotated[int, Field(ge=8, multiple_of=8)] = 384
    height: Annotated[int, Field(ge=8, multiple_of=8)] = 256
    start: Literal["random", "fixed"] = "random"
    start_seconds: Annotated[float, Field(ge=0)] = 0.0
    clips_per_video: Count = 1
    limit: Count = 0

    @property
    def clip_seconds(self) -> float:
        """Length of a clip."""
        return self.num_frames / self.fps

    @model_validator(mode="after")
    def _check(self) -> Data:
        if self.layout == "vggsound" and self.csv is None:
            raise ValueError("layout vggsound needs data.csv: the official vggsound.csv or the published one")
        if self.clip_seconds < 0.175:
            raise ValueError(
                f"num_frames / fps is {self.clip_seconds:.3f} s: BEATs needs clips of at least 0.175 s"
            )
        return self


class Audio(Section):
    """BEATs encoding of the sound.

    hop_ms         a step every 160 (as published), 80 or 40 ms
    chunk_seconds  encode pieces of this length apart (0: the whole clip at once, as published)
    """

    hop_ms: Literal[160, 80, 40] = 160
    chunk_seconds: Annotated[float, Field(ge=0)] = 0.0

    @property
    def hop_divisor(self) -> int:
        """160 ms / hop."""
        return 160 // self.hop_ms


class Cache(Section):
    """The cache that `python -m training.precompute` writes.

    dir                its folder (empty: `cache` in output_dir)
    use                auto: if it exists; always: an error if not; never
    clips_per_shard    clips per file
    precision          of latents and features on disk
    average_frequency  keep the mean over BEATs' 8 frequency bands only, an eighth of the size. Empty: if the
                       layout is time_aligned, which averages them anyway
    layers             BEATs layers to keep, counted from 0; empty: all
    """

    dir: AnyPath | None = None
    use: Literal["auto", "always", "never"] = "auto"
    clips_per_shard: Positive = 64
    precision: Literal["fp32", "fp16"] = "fp16"
    average_frequency: bool | None = None
    layers: list[Count] = []


class Mapper(Section):
    """The AudioMapper.

    layout         time_aligned, or reference: as published
    hidden_size    width of the MLP
    depth          number of linear layers
    windows        reach in frames of every context window; 0 to 4 of them are the paper's 1 to 5 resolutions
    single_vector  one token for the whole clip instead of tokens per frame (the paper's Table 3, "vec.")
    layers         BEATs layers used, counted from 0; empty: all
    """

    layout: Layout = "time_aligned"
    hidden_size: Positive = 2304
    depth: Annotated[int, Field(ge=2)] = 4
    windows: list[Positive] = [1, 2, 4, 8]
    single_vector: bool = False
    layers: list[Count] = []

    @property
    def words(self) -> tuple[str, ...]:
        """The audio words of this mapper."""
        return ("class",) if self.single_vector else words_of(len(self.windows))


class Adapter(Section):
    """How the sound comes into a model that hears it beside the text (Wan); for other models: leave it out.

    token_width  width of an audio token: the mapper's output
    route        frame_attention, which can say where; bias, one per latent frame, which can say when; words,
                 tokens beside the text in the frozen text attention, as in the paper
    blocks       blocks of the model after which it comes in: every_third, all, early (as many as every third,
                 from the first on) or a list of numbers from 0
    inner        width inside the attention
    heads        of the attention
    """

    token_width: Positive = 512
    route: RouteName = "frame_attention"
    blocks: Placement | list[Count] = "every_third"
    inner: Positive = 384
    heads: Positive = 6

    @model_validator(mode="after")
    def _check(self) -> Adapter:
        if self.inner % self.heads:
            raise ValueError(f"inner {self.inner} is not divisible by heads {self.heads}")
        return self


class Loss(Section):
    """The objective: MSE of what the model predicts + l1_weight * mean |temp tokens|.

    l1_weight          0.01 as published; too much where the first term is small (see the warning in the log)
                       and of no use in an adapter, which normalises its tokens: 0 there
    motion_weight      how much more errors count where a clip moves: the weight of a latent pixel is
                       (1 + w * change / mean change) / (1 + w); 0: all the same
    min_snr_gamma      min-SNR weighting of timesteps (arXiv 2303.09556; 5 is usual); empty: none
    condition_dropout  share of clips without their sound: they get a learned "no sound" token, or in an
                       adapter a gate of 0
    timesteps          uniform (as published), high_noise (density grows with the noise) or logit_normal (with
                       the shift of a flow model)
    timestep_min      lowest timestep of the model's noise schedule
    timestep_max      highest timestep; empty: the schedule's last
    """

    l1_weight: Annotated[float, Field(ge=0)] = 0.01
    motion_weight: Annotated[float, Field(ge=0)] = 0.0
    min_snr_gamma: Annotated[float, Field(gt=0)] | None = None
    condition_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    timesteps: Literal["uniform", "high_noise", "logit_normal"] = "uniform"
    timestep_min: Count = 0
    timestep_max: Count | None = None


class Optimizer(Section):
    """AdamW and its learning rate.

    learning_rate   its highest value
    betas           of AdamW
    weight_decay    of AdamW
    eps             of AdamW
    schedule        constant, or cosine down to the last step
    warm_up_steps   steps of linear warm-up
    final_share     share of the learning rate that is left at the last step of a cosine
    clip_grad_norm  maximum norm of the gradient; empty: no clipping, as in the published code in effect
    ema_decay       decay of an EMA of the weights, which is then validated and saved; empty: none
    """

    learning_rate: Annotated[float, Field(gt=0)] = 1e-5
    betas: Annotated[list[Share], Field(min_length=2, max_length=2)] = [0.9, 0.999]
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    eps: Annotated[float, Field(gt=0)] = 1e-8
    schedule: Literal["constant", "cosine"] = "constant"
    warm_up_steps: Count = 0
    final_share: Share = 0.0
    clip_grad_norm: Annotated[float, Field(gt=0)] | None = None
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None


class Run(Section):
    """Steps, batch size, precision and device.

    steps                   optimizer steps
    batch_size              clips per process at once
    accumulate              gradient accumulation: batches per step
    precision               fp32, bf16 or fp16 for the frozen models; the mapper is always trained in fp32
    gradient_checkpointing  recompute UNet and text encoder in backward, block by block: less memory,
                            about a third more time
    workers                 processes that read or decode clips ahead (0: none)
    device                  auto: a GPU if there is one; cpu
    """

    steps: Positive = 10_000
    batch_size: Positive = 1
    accumulate: Positive = 1
    precision: Precision = "fp32"
    gradient_checkpointing: bool = True
    workers: Count = 2
    device: Literal["auto", "cpu"] = "auto"


class Checkpoints(Section):
    """Checkpoints of a training in progress.

    every      steps between two checkpoints
    keep_last  how many are kept, beside best.safetensors
    """

    every: Positive = 500
    keep_last: Positive = 3


class Validation(Section):
    """Validation on held-out clips.

    every             steps between two validations, and one at the end; 0: none
    loss_clips        clips of the validation loss, always the same noise; the lowest loss is the best mapper
    videos            clips that are generated, with their sound, and scored by AV-Align
    steps             sampling steps of the videos
    guidance_scale    of the videos
    scheduler         of the videos, by its name in the T2V Sampler
    seed              of the videos
    away_from         negative prompt of the guidance: the empty_prompt (as published), or the prompt with the
                      no_sound token (needs loss.condition_dropout)
    """

    every: Count = 500
    loss_clips: Count = 16
    videos: Count = 2
    steps: Positive = 25
    guidance_scale: Annotated[float, Field(ge=0)] = 25.0
    scheduler: str = "dpmpp_2m"
    seed: Count = 0
    away_from: Literal["empty_prompt", "no_sound"] = "empty_prompt"

    @model_validator(mode="after")
    def _check(self) -> Validation:
        if self.scheduler not in SCHEDULERS:
            raise ValueError(f"scheduler {self.scheduler!r} is none of {', '.join(SCHEDULERS)}")
        return self


class Logging(Section):
    """Experiment loggers, beside metrics.jsonl with every step.

    every        steps between two points in TensorBoard and wandb
    tensorboard  write output_dir/tensorboard
    wandb        log to Weights & Biases, if the package is installed
    project      its project name
    """

    every: Positive = 10
    tensorboard: bool = True
    wandb: bool = False
    project: str = "audio-to-video"


class Config(Section):
    """All settings of a training.

    output_dir  folder of all output files
    seed        of all random numbers
    """

    output_dir: AnyPath
    seed: Count = 64
    models: Models
    data: Data
    audio: Audio = Audio()
    cache: Cache = Cache()
    mapper: Mapper = Mapper()
    adapter: Adapter = Adapter()
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    run: Run = Run()
    checkpoints: Checkpoints = Checkpoints()
    validation: Validation = Validation()
    logging: Logging = Logging()

    @property
    def cache_dir(self) -> Path:
        """Folder of the cache."""
        return self.cache.dir or self.output_dir / "cache"

    @property
    def averages_frequency(self) -> bool:
        """Whether features are kept without their frequency bands."""
        average = self.cache.average_frequency
        return self.mapper.layout == "time_aligned" if average is None else average

    @model_validator(mode="after")
    def _check(self) -> Config:
        if self.mapper.layout == "reference" and self.averages_frequency:
            raise ValueError(
                "mapper.layout reference needs every frequency band: cache.average_frequency must be false"
            )
        if self.validation.away_from == "no_sound" and not self.loss.condition_dropout:
            raise ValueError("validation.away_from no_sound needs loss.condition_dropout above 0")
        missing = set(self.mapper.layers) - set(self.cache.layers)
        if self.cache.layers and (missing or not self.mapper.layers):
            raise ValueError("cache.layers must hold every layer that mapper.layers names")
        return self
