"""The tables: rows that differ in one setting, and claims about them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from .settings import Test, Variant

BASE = Variant()
RESOLUTIONS = (1, 2, 4, 8)  # frames


@dataclass(frozen=True)
class Row:
    """A line of a table; `paper` is the AV-Align in the paper's table (VGGSound)."""

    label: str
    variant: Variant = BASE
    test: Test = field(default_factory=Test)
    paper: float | None = None


@dataclass(frozen=True)
class Claim:
    """Claim that row `more` scores higher than row `less`, or, with `same`, that they score alike.

    `paper`: whether the claim is the paper's or a question of ours.
    """

    text: str
    more: str
    less: str
    same: bool = False
    paper: bool = True


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Table(Generic[R]):
    """Rows to compare, with a title and an explanation; `most_seeds` trainings of a row are enough."""

    title: str
    about: str
    rows: tuple[R, ...]
    claims: tuple[Claim, ...] = ()
    most_seeds: int = 1_000_000


def _resolutions(count: int) -> Variant:
    return replace(BASE, windows=RESOLUTIONS[: count - 1])


WINDOWS = Table(
    "A single vector against windows (the paper's Table 3)",
    "`vec.` is one attentively pooled token for the whole clip. `K-res` is a token per frame, K - 1 wider "
    "windows around it, and the pooled token.",
    (
        Row("vec.", replace(BASE, windows=(), single_vector=True), paper=0.29),
        Row("1-res", _resolutions(1), paper=0.36),
        Row("2-res", _resolutions(2), paper=0.35),
        Row("3-res", _resolutions(3), paper=0.34),
        Row("4-res", _resolutions(4), paper=0.35),
        Row("5-res (full)", _resolutions(5), paper=0.35),
    ),
    (
        Claim("Tokens per frame align better than a single vector", "5-res (full)", "vec."),
        Claim("The number of windows hardly matters for alignment", "5-res (full)", "1-res", same=True),
    ),
)

CONDITIONS = Table(
    "Audio, text, text and audio (the paper's Table 2)",
    "One adapter, three kinds of prompt: audio words alone; the names of colour and object alone; both.",
    (
        Row("text", Variant(kind="none"), Test("text"), paper=0.27),
        Row("audio", BASE, Test("audio"), paper=0.35),
        Row("text + audio", BASE, Test("text_audio"), paper=0.36),
    ),
    (
        Claim("Audio aligns better than text alone", "audio", "text"),
        Claim("Text beside the audio does not cost alignment", "text + audio", "audio", same=True),
    ),
)

LAYOUT = Table(
    "Layout of the tokens",
    "`reference` is the published arrangement, in which frames share the frequency bands of a step among "
    "them; `time_aligned` averages frequency and interpolates steps to the middle of each frame.",
    (
        Row("reference, 160 ms", replace(BASE, layout="reference", hop_ms=160)),
        Row("time_aligned, 160 ms", replace(BASE, hop_ms=160)),
        Row("time_aligned, 80 ms", BASE),
    ),
    (
        Claim(
            "`time_aligned` beats `reference` at the published hop",
            "time_aligned, 160 ms",
            "reference, 160 ms",
            paper=False,
        ),
    ),
)

HOP = Table(
    "Hop of the audio features",
    "BEATs gives a step every 160 ms, about two frames; shifted encodings give steps in between.",
    (
        Row("160 ms", replace(BASE, hop_ms=160)),
        Row("80 ms", BASE),
        Row("40 ms", replace(BASE, hop_ms=40)),
    ),
    (
        Claim("80 ms beats the published 160 ms", "80 ms", "160 ms", paper=False),
        Claim("40 ms beats 80 ms", "40 ms", "80 ms", paper=False),
    ),
)

CAPACITY = Table(
    "Capacity of the adapter",
    "Width of the hidden layers and number of linear layers; the published mapper has four layers.",
    (
        Row("width 64", replace(BASE, hidden_size=64)),
        Row("width 256", BASE),
        Row("width 768", replace(BASE, hidden_size=768)),
        Row("2 layers", replace(BASE, depth=2)),
        Row("4 layers", BASE),
        Row("6 layers", replace(BASE, depth=6)),
    ),
    (
        Claim("Width 768 beats width 64", "width 768", "width 64", paper=False),
        Claim("Six layers beat two", "6 layers", "2 layers", paper=False),
    ),
)

LINEAR = Table(
    "A plain linear mapper (the paper's first sanity experiment)",
    "One matrix from BEATs features to `<temp>`, without windows and without pooling.",
    (
        Row("linear, no windows", Variant(kind="linear", windows=())),
        Row("MLP, no windows", _resolutions(1)),
        Row("MLP, windows", BASE),
    ),
    (Claim("The MLP with windows beats one matrix", "MLP, windows", "linear, no windows", paper=False),),
)

_SOME = replace(BASE, world="some")
CROSS = Table(
    "Across worlds: rhythms and timbres that the training never had",
    "Trained on steady and paired hits at the sounds' own pitch. Other rhythm: every distance is another. "
    "Other timbre: every sound five semitones higher or lower, and shorter or longer.",
    (
        Row("same rhythms, same timbres", _SOME, Test(world="some")),
        Row("other rhythm", _SOME, Test(world="rhythms")),
        Row("other timbres", _SOME, Test(world="timbres")),
        Row("other rhythm and timbres", _SOME, Test(world="both")),
    ),
    (
        Claim(
            "Nothing is lost on an unknown rhythm",
            "other rhythm",
            "same rhythms, same timbres",
            same=True,
            paper=False,
        ),
        Claim(
            "Nothing is lost on unknown timbres",
            "other timbres",
            "same rhythms, same timbres",
            same=True,
            paper=False,
        ),
    ),
)

RECIPE = Table(
    "The recipe itself",
    "What the start from words and the steps on the published loss each give. `loss alone` starts from "
    "random weights and has the published loss only, for as many steps as the others; `L1 0.01` has the "
    "published weight of the second term.",
    (
        Row("start and loss", BASE),
        Row("start alone", replace(BASE, share=0.0)),
        Row("loss alone", replace(BASE, start="random")),
        Row("start and loss, L1 0.01", replace(BASE, l1_weight=0.01)),
    ),
    (
        Claim("The loss adds to the start", "start and loss", "start alone", paper=False),
        Claim(
            "The published weight of the L1 term does no harm here",
            "start and loss, L1 0.01",
            "start and loss",
            same=True,
            paper=False,
        ),
    ),
)

TABLES = {
    "windows": WINDOWS,
    "conditions": CONDITIONS,
    "layout": LAYOUT,
    "hop": HOP,
    "capacity": CAPACITY,
    "linear": LINEAR,
    "cross": CROSS,
    "recipe": RECIPE,
}
