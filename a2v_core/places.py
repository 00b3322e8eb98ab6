"""Kinds of model file: by what they are recognised, where they go below ComfyUI's `models`, what loads them.

The only table of this. It holds names, not code: the library stays free of ComfyUI, and a new kind of model
is a new row. Kinds that this pack cannot use are there so that a file in the wrong place can be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

SAFETENSORS = ".safetensors"
TORCH_FILES = (".pt", ".pth", ".bin", ".ckpt")
WEIGHTS = (SAFETENSORS, *TORCH_FILES)
FOLDERS = ("folder",)
"""ComfyUI's mark in the place of endings for a folder that holds folders."""

# The denoisers of text-to-video models in the diffusers layout that have a backbone, by their class.
T2V_DENOISERS = ("UNet3DConditionModel",)

BEATS = "BEATs encoder"
MAPPER = "AudioMapper"
T2V_FOLDER = "text-to-video model (diffusers folder)"
OTHER_FOLDER = "diffusers folder of another kind"
UNET = "UNet"
VAE = "VAE"
TEXT_ENCODER = "CLIP text encoder"
LORA = "LoRA"
TURBO_LORA = "LoRA in T2V-Turbo's layout"
OTHER_ENCODER = "audio encoder other than BEATs"
ALL_IN_ONE = "checkpoint of several models in one file"
CONTROLNET = "ControlNet"
PICTURE_UNET = "UNet for pictures"
ORIGINAL_T2V_UNET = "UNet of a text-to-video model in the original layout"
ORIGINAL_UNET = "UNet for pictures in the original layout"
ORIGINAL_VAE = "VAE in the original layout"
CLIP_VISION = "CLIP vision encoder"
OTHER_TEXT_ENCODER = "text encoder other than CLIP's of transformers"
DIT = "diffusion transformer"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """A kind of model file.

    kind     what it is called here
    folder   below `models`; "" = it goes nowhere as it is
    node     display name of its loader; one of ComfyUI's own nodes is called "core's ..."
    marks    patterns, each of which is found in some key of its state dict; none = not recognised by keys
    part     folder inside a diffusers model that it is the weights of
    endings  of its files
    demo     what the bundled model of that kind is called, and `fetch --kind`; "" = there is none
    note     what there is to say beside folder and node
    """

    kind: str
    folder: str
    node: str
    marks: tuple[str, ...] = ()
    part: str = ""
    endings: tuple[str, ...] = WEIGHTS
    demo: str = ""
    note: str = ""

    @property
    def where(self) -> str:
        """Folder and loader in words, to follow "belongs"."""
        if not self.folder:
            return f"nowhere as it is: {self.note}"
        inside = f"the {self.part} folder of a text-to-video model in " if self.part else ""
        return f"in {inside}models/{self.folder}, for {self.node}{self.note}"


_T2V = "a2v_t2v"
_LOAD_T2V = "Load T2V Model"
_LOAD_DIFFUSION = "core's Load Diffusion Model"
_IN_TIME = r"\btemp_conv|\btemp_attentions|\btransformer_in\b|temporal|temopral"
# Low-rank updates as trainers write them: kohya, PEFT, diffusers, processors, LyCORIS.
_LOW_RANK = (
    r"lora_(?:A|B|up|down|mid|unet|te|linear_layer)|\blora\.(?:up|down)|_lora\.(?:up|down)"
    r"|\bhada_[wt]\d|\blokr_[wt]\d|\boft_(?:blocks|diag)|^lycoris_"
)

PLACES = (
    # What comes first is recognised first: a LoRA has the names of its model in its keys, and so on.
    Place(
        TURBO_LORA,
        "loras",
        f"{_LOAD_T2V} (lora_name)",
        marks=(r"^0\.lora_up$",),  # as `checkpoints` names the tensors of such a list
    ),
    Place(
        LORA,
        "loras",
        f"{_LOAD_T2V} (lora_name)",
        marks=(_LOW_RANK,),
        demo="few_steps",
        note=" if it was made for that model, else for core's Load LoRA",
    ),
    Place(
        ALL_IN_ONE,
        "checkpoints",
        "core's Load Checkpoint",
        marks=(r"model\.diffusion_model\.", r"first_stage_model\.|cond_stage_model\.|conditioner\."),
        note="; no node of this pack takes it",
    ),
    Place(MAPPER, "a2v_mappers", "Load AudioMapper", marks=(r"^fc1\.weight$", r"\bfga\."), demo="mapper"),
    Place(
        BEATS,
        "audio_encoders",
        "Load BEATs",
        marks=(r"^patch_embedding\.", r"^encoder\.layers\.0\.self_attn\."),
        demo="beats",
    ),
    Place(
        CLIP_VISION,
        "clip_vision",
        "core's Load CLIP Vision",
        marks=(r"\bvision_model\.(?:embeddings|encoder)\.|^visual\.transformer\.",),
        note="; no node of this pack takes it",
    ),
    Place(TEXT_ENCODER, _T2V, _LOAD_T2V, marks=(r"\bembeddings\.token_embedding\.",), part="text_encoder"),
    Place(
        OTHER_TEXT_ENCODER,
        "text_encoders",
        "core's Load CLIP",
        marks=(r"\btransformer\.resblocks\.|\bencoder\.block\.0\.layer\.0\.SelfAttention\.",),
        note="; no node of this pack takes it",
    ),
    Place(
        ORIGINAL_VAE,
        "vae",
        "core's Load VAE",
        marks=(r"\bencoder\.conv_in\.", r"\bdecoder\.conv_in\.", r"\bencoder\.down\.\d"),
        note=f"; {_LOAD_T2V} needs that of the model's diffusers folder",
    ),
    Place(VAE, _T2V, _LOAD_T2V, marks=(r"\bencoder\.conv_in\.", r"\bdecoder\.conv_in\."), part="vae"),
    Place(
        CONTROLNET,
        "controlnet",
        "core's Load ControlNet Model",
        marks=(r"\bcontrolnet_cond_embedding\.|\bcontrolnet_down_blocks\.|\bzero_convs\.",),
        note="; no node of this pack takes it",
    ),
    Place(UNET, _T2V, _LOAD_T2V, marks=(r"\bdown_blocks\.", r"\btime_embedding\.", _IN_TIME), part="unet"),
    Place(
        PICTURE_UNET,
        "diffusion_models",
        _LOAD_DIFFUSION,
        marks=(r"\bdown_blocks\.", r"\btime_embedding\."),
        note=f"; {_LOAD_T2V} needs one for videos",
    ),
    Place(
        ORIGINAL_T2V_UNET,
        "",
        "",
        marks=(r"\binput_blocks\.", r"\btime_embed\.", _IN_TIME),
        note="get the model's diffusers folder instead",
    ),
    Place(
        ORIGINAL_UNET,
        "diffusion_models",
        _LOAD_DIFFUSION,
        marks=(r"\binput_blocks\.", r"\btime_embed\."),
        note=f"; {_LOAD_T2V} needs the diffusers folder of a text-to-video model instead",
    ),
    Place(
        OTHER_ENCODER,
        "audio_encoders",
        "core's AudioEncoderLoader",
        marks=(r"\bfeature_extractor\.conv_layers\.|\bencoder\.conv1\.",),
        note="; this pack needs BEATs",
    ),
    Place(
        DIT,
        "diffusion_models",
        _LOAD_DIFFUSION,
        marks=(r"\b(?:double|joint|transformer)_blocks\.0\.|\bblocks\.0\.cross_attn\.",),
        note=f"; {_LOAD_T2V} takes ModelScope and Zeroscope",
    ),
    Place(T2V_FOLDER, _T2V, _LOAD_T2V, endings=FOLDERS, demo="t2v"),
    Place(OTHER_FOLDER, "", "", endings=FOLDERS, note=f"{_LOAD_T2V} needs ModelScope or Zeroscope"),
)


def place_of(kind: str) -> Place:
    """The row of a kind; KeyError for one that has none."""
    return _BY_KIND[kind]


def place_called(demo: str) -> Place:
    """The row of the kind whose bundled model is called `demo`; `fetch --kind` calls it so too."""
    return next(place for place in PLACES if place.demo == demo)


def belongs(kind: str) -> str:
    """Where a file of the kind that `describe` names belongs: folder and loader; "" for "unknown"."""
    return _BY_KIND[kind].where if kind in _BY_KIND else ""


def describe(keys: Iterable[str]) -> str:
    """What a state dict is, from its keys: one of the names above, or "unknown"."""
    text = "\n".join(keys)
    return next(
        (
            place.kind
            for place in PLACES
            if place.marks and all(re.search(mark, text, re.MULTILINE) for mark in place.marks)
        ),
        UNKNOWN,
    )


_BY_KIND = {place.kind: place for place in PLACES}
