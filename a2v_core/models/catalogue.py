"""The published models by name: where they are, how large, under which licence, and with which checksum.

Sizes and checksums are those that several independent public records agree on; without one, what the server
states counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import A2VError
from ..places import Place, place_called
from .sources import DriveFile, HubFile, HubFolder, HubWithAdapter, Source

Kind = Literal["beats", "mapper", "t2v"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Model:
    """A model that can be fetched.

    name     its name in the command
    target   the file or folder, as the loader's dropdown shows it
    sources  tried in this order; empty = only by hand, from `page`
    size     bytes to download; None = the server states it
    sha256   of the published file; "" = unknown, then the one that the server states counts
    """

    name: str
    kind: Kind
    title: str
    target: str
    sources: tuple[Source, ...]
    licence: str = "unknown"
    page: str = ""
    size: int | None = None
    sha256: str = ""

    @property
    def place(self) -> Place:
        return place_called(self.kind)


_MIT = "MIT"
_NON_COMMERCIAL = "CC-BY-NC-4.0: no commercial use"
_MAPPER_LICENCE = "MIT (the repository; the files themselves state none)"
_UNILM = "https://github.com/microsoft/unilm/tree/master/beats"
_TEMPOTOKENS = "https://github.com/guyyariv/TempoTokens"
_DRIVE = "10pRWoq0m5torvMXILmIQd7j9fLPEeHtS"
_STABLE_DIFFUSION = "stable-diffusion-v1-5/stable-diffusion-v1-5"
_MOTION = "guoyww/animatediff-motion-adapter-v1-5-2"
_CPT2 = "BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2"


def _mapper(data_set: str, title: str) -> Model:
    name = data_set.replace("_", "-")
    return Model(
        name=f"mapper-{name}",
        kind="mapper",
        title=f"TempoTokens AudioMapper, trained on {title}",
        target=f"tempotokens_{data_set}.safetensors",
        sources=(DriveFile(_DRIVE, f"{data_set}/learned_embeds.pth"),),
        licence=_MAPPER_LICENCE,
        page=_TEMPOTOKENS,
    )


def _wan(name: str, repo: str, title: str) -> Model:
    where = f"Wan-AI/{repo}-Diffusers"
    return Model(
        name=name,
        kind="t2v",
        title=title,
        target=f"{repo}-Diffusers",
        sources=(HubFolder(where),),
        licence="Apache-2.0",
        page=f"https://huggingface.co/{where}",
    )


CATALOGUE: tuple[Model, ...] = (
    Model(
        name="beats",
        kind="beats",
        title="BEATs iter3+ AS2M, fine-tuned (cpt2): the one of the published mappers",
        target=f"{_CPT2}.safetensors",
        sources=(
            HubFile(f"WeiChihChen/{_CPT2}", f"{_CPT2}.pt"),
            HubFile("camenduru/beats", f"{_CPT2}.pt"),
            HubFile("GuyYariv/AudioToken", f"{_CPT2}.pt", repo_type="space"),
        ),
        licence=_MIT,
        page=_UNILM,
        size=363_145_291,
        sha256="e5815275a04b6885e7b8af63d120b29bffae2cd2225cf4915e1ec6d819d3022c",
    ),
    Model(
        name="beats-cpt1",
        kind="beats",
        title="BEATs iter3+ AS2M, fine-tuned (cpt1)",
        target="BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt1.safetensors",
        sources=(),
        licence=_MIT,
        page=_UNILM,
        size=363_145_291,
        sha256="7f9362028ac6e5c049e8dc314d87e90e4f82a15a8e472deb56af55d7f9b34d6a",
    ),
    Model(
        name="beats-pretrained",
        kind="beats",
        title="BEATs iter3+ AS2M, pre-trained only",
        target="BEATs_iter3_plus_AS2M.safetensors",
        sources=(
            HubFile("lpepino/beats_ckpts", "BEATs_iter3_plus_AS2M.pt"),
            HubFile("Bencr/beats-checkpoints", "BEATs_iter3_plus_AS2M.pt", repo_type="dataset"),
        ),
        licence=_MIT,
        page=_UNILM,
        size=361_499_833,
        sha256="d43cbfad4d7b56381c061d7a24774f908d4d94c72961f6eb1d9090ff18cd8d34",
    ),
    Model(
        name="zeroscope",
        kind="t2v",
        title="Zeroscope v2 576w: the base model of the published mappers",
        target="zeroscope_v2_576w",
        sources=(HubFolder("cerspense/zeroscope_v2_576w"),),
        licence=_NON_COMMERCIAL,
        page="https://huggingface.co/cerspense/zeroscope_v2_576w",
    ),
    Model(
        name="modelscope",
        kind="t2v",
        title="ModelScope text-to-video 1.7b",
        target="text-to-video-ms-1.7b",
        sources=(
            HubFolder("ali-vilab/text-to-video-ms-1.7b"),
            HubFolder("damo-vilab/text-to-video-ms-1.7b"),
        ),
        licence=_NON_COMMERCIAL,
        page="https://huggingface.co/ali-vilab/text-to-video-ms-1.7b",
    ),
    Model(
        name="animatediff",
        kind="t2v",
        title="AnimateDiff: motion adapter v1.5-2 in Stable Diffusion 1.5",
        target="animatediff-v1-5-2",
        sources=(HubWithAdapter(HubFolder(_STABLE_DIFFUSION), HubFolder(_MOTION)),),
        licence="CreativeML OpenRAIL-M (Stable Diffusion 1.5); Apache-2.0 (AnimateDiff)",
        page=f"https://huggingface.co/{_MOTION}",
    ),
    _wan("wan2.1-1.3b", "Wan2.1-T2V-1.3B", "Wan 2.1 text-to-video, 1.3B"),
    _wan("wan2.1-14b", "Wan2.1-T2V-14B", "Wan 2.1 text-to-video, 14B"),
    _wan("wan2.2-5b", "Wan2.2-TI2V-5B", "Wan 2.2 text-to-video, 5B"),
    _wan("wan2.2-14b", "Wan2.2-T2V-A14B", "Wan 2.2 text-to-video, two denoisers of 14B"),
    _mapper("vggsound", "VGGSound"),
    _mapper("landscape", "Landscape"),
    _mapper("audioset_drum", "AudioSet-Drum"),
)


def model_named(name: str) -> Model:
    """A model of the catalogue. A2VError when there is none of that name."""
    for model in CATALOGUE:
        if model.name == name:
            return model
    known = ", ".join(model.name for model in CATALOGUE)
    raise A2VError(
        f"'{name}' is none of the known models: {known}. Yours: an address or owner/name, with --kind"
    )


def fetchable(kind: Kind) -> tuple[Model, ...]:
    """The models of a kind that can be downloaded by name."""
    return tuple(model for model in CATALOGUE if model.kind == kind and model.sources)


def model_at(kind: Kind, target: str) -> Model | None:
    """The downloadable model that a loader's dropdown shows as `target`."""
    return next((model for model in fetchable(kind) if model.target == target), None)
