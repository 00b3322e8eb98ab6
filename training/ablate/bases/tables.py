"""The tables of base models: rows that differ in base, way of the sound into it, or guidance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..tables import Claim, Row, Table
from .settings import BaseTest, BaseVariant


@dataclass(frozen=True)
class BaseRow(Row):
    """A line of a table."""

    variant: BaseVariant = field(default_factory=BaseVariant)
    test: BaseTest = field(default_factory=BaseTest)


UNET3D, ANIMATEDIFF = BaseVariant(), BaseVariant(base="animatediff")
WAN = BaseVariant(base="wan", start="random")
INTERVAL = "guidance_interval"


def _claim(text: str, more: str, less: str, *, same: bool = False) -> Claim:
    return Claim(text, more, less, same, paper=False)


BASES = Table(
    "Base models, and ways of the sound into them",
    "`words`: the sound is words in the prompt of every frame, the paper's way. `frame attention`: one text "
    "for the whole clip, and layers after every third block in which the tokens of a latent frame look at "
    "the sound of their own frames; early blocks are as many, without a gap. `a bias per frame` leaves the "
    "attention away; `words in frozen attention` are tokens beside the text in the cross-attention that the "
    "model has.",
    (
        BaseRow("UNet3D, words", UNET3D),
        BaseRow("UNet3D, words, no start", replace(UNET3D, start="random")),
        BaseRow("AnimateDiff, words", ANIMATEDIFF),
        BaseRow("Wan, frame attention", WAN),
        BaseRow("Wan, after every block", replace(WAN, blocks="all")),
        BaseRow("Wan, after early blocks", replace(WAN, blocks="early")),
        BaseRow("Wan, a bias per frame", replace(WAN, route="bias")),
        BaseRow("Wan, words in frozen attention", replace(WAN, route="words")),
        BaseRow("Wan, sound not guided", WAN, BaseTest(sound_guidance=1.0)),
        BaseRow("Wan, sound guided more", WAN, BaseTest(sound_guidance=5.0)),
    ),
    (
        _claim("AnimateDiff aligns as the UNet3D does", "AnimateDiff, words", "UNet3D, words", same=True),
        _claim("Wan aligns as the UNet3D does", "Wan, frame attention", "UNet3D, words", same=True),
        _claim(
            "Wan beats the UNet3D where that starts from nothing too",
            "Wan, frame attention",
            "UNet3D, words, no start",
        ),
        _claim(
            "Every block beats every third",
            "Wan, after every block",
            "Wan, frame attention",
        ),
        _claim(
            "Early blocks do as well as every third",
            "Wan, after early blocks",
            "Wan, frame attention",
            same=True,
        ),
        _claim("Attention beats a bias per frame", "Wan, frame attention", "Wan, a bias per frame"),
        _claim(
            "Attention of its own beats words in the frozen one",
            "Wan, frame attention",
            "Wan, words in frozen attention",
        ),
        _claim("Guidance by the sound helps Wan", "Wan, frame attention", "Wan, sound not guided"),
        _claim("More guidance by the sound helps more", "Wan, sound guided more", "Wan, frame attention"),
    ),
)


def _pair(name: str, variant: BaseVariant) -> tuple[BaseRow, BaseRow]:
    many = BaseTest(times=8)
    return (
        BaseRow(f"{name}, every step", variant, many),
        BaseRow(f"{name}, middle steps", variant, replace(many, speed=INTERVAL)),
    )


_NAMES: dict[str, BaseVariant] = {"UNet3D": UNET3D, "AnimateDiff": ANIMATEDIFF, "Wan": WAN}
GUIDANCE = Table(
    "Guidance at every step, or in the middle of the steps",
    "The same adapters on more sounds, with guidance as usual and with the sampler's speed "
    f"`{INTERVAL}`: guidance is off in the first tenth of the steps and after seven tenths of them.",
    tuple(row for name, variant in _NAMES.items() for row in _pair(name, variant)),
    tuple(
        _claim(
            f"Guidance in the middle steps is enough: {name}",
            f"{name}, middle steps",
            f"{name}, every step",
            same=True,
        )
        for name in _NAMES
    ),
    most_seeds=1,
)

BASE_TABLES = {"bases": BASES, "guidance": GUIDANCE}
