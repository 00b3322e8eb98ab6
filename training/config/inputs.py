"""Sections of a config: what goes in, models, clips and their cache, and what is trained on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from a2v_core.backbones.dit import Placement, RouteName
from a2v_core.stores import Store, check_place, make_store
from a2v_core.tokens import Layout, words_of

from .section import AnyPath, AnyPlace, Count, Positive, Section, Share

DataLayout = Literal["folder", "vggsound", "landscape", "audioset_drums", "webdataset"]


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

    layout           folder, vggsound, landscape, audioset_drums or webdataset: how the data set lies on disk
    root             its folder, or an address such as s3://bucket/clips; of a webdataset also its shards, as
                     in shard-{000000..000099}.tar
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
    storage_options  for fsspec, where data or lists lie at an address: endpoint_url, profile, anon, ...
                     They may be secrets: never logged, and not in config.yaml of output_dir
    local_cache      folder of this machine for what was fetched from there (empty: a2v/stores in ~/.cache)
    local_cache_gb   its size; what was not used for longest leaves. One shard of a webdataset for every
                     process that reads has to fit in
    fetch_tries      requests for a file before it counts as unreachable
    fetch_seconds    time for all of them; a large file has besides a second for every MB
    """

    layout: DataLayout
    root: AnyPlace
    csv: AnyPlace | None = None
    exclude_ids: AnyPlace | None = None
    scores: AnyPlace | None = None
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
    storage_options: Annotated[dict[str, Any], Field(exclude=True, repr=False)] = {}
    local_cache: AnyPath | None = None
    local_cache_gb: Annotated[float, Field(gt=0)] = 20.0
    fetch_tries: Positive = 6
    fetch_seconds: Annotated[float, Field(gt=0)] = 120.0

    @property
    def is_of_shards(self) -> bool:
        """Whether `root` names shards, not a folder."""
        return self.layout == "webdataset" and ("{" in str(self.root) or str(self.root).endswith(".tar"))

    @property
    def store(self) -> Store:
        """Whatever of it lies at an address is read through this."""
        return make_store(
            self.local_cache, self.local_cache_gb, self.fetch_tries, self.fetch_seconds, self.storage_options
        )

    @property
    def clip_seconds(self) -> float:
        """Length of a clip."""
        return self.num_frames / self.fps

    @model_validator(mode="after")
    def _check(self) -> Data:
        for place in (self.root, self.csv, self.exclude_ids, self.scores):
            if place is not None:
                check_place(place)
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
