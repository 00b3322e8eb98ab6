"""Kinds of model file: how each is recognised, its folder below ComfyUI's `models`, the node that loads it.

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
"""What ComfyUI lists in place of file endings for models that are folders."""

MODEL_INDEX = "model_index.json"
"""The file that makes a folder a model in the diffusers layout."""

PART_CONFIG = "config.json"
"""The settings of one network of such a model."""

# The denoisers of text-to-video models in the diffusers layout that have a backbone, by their class.
T2V_DENOISERS = ("UNet3DConditionModel", "UNetMotionModel", "WanTransformer3DModel")

T2V_DENOISER_FOLDERS = ("unet", "transformer", "transformer_2")
"""What such models call the folders of their denoisers; some have two."""

PICTURE_DENOISER = "UNet2DConditionModel"
ADAPTER_FOLDER = "motion_adapter"
"""The denoiser of a model for pictures, and the folder that makes it one for videos."""

BEATS = "BEATs encoder"
MAPPER = "AudioMapper"
ADAPTER = "audio adapter"
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
MOTION_ADAPTER = "motion adapter"
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
    keys     patterns, each of which matches some key of its state dict; none = not recognised by keys
    part     the folder of a diffusers model that holds such weights
    endings  file endings
    demo     name of the bundled model of that kind, also for `fetch --kind`; "" = there is none
    note     a remark to follow folder and node
    """

    kind: str
    folder: str
    node: str
    keys: tuple[str, ...] = ()
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
_TEMPORAL = r"\btemp_conv|\btemp_attentions|\btransformer_in\b|\bmotion_modules\b|temporal|temopral"
# Keys of low-rank updates in the layouts of trainers: kohya, PEFT, diffusers, processors, LyCORIS.
_LOW_RANK = (
    r"lora_(?:A|B|up|down|mid|unet|te|linear_layer)|\blora\.(?:up|down)|_lora\.(?:up|down)"
    r"|\bhada_[wt]\d|\blokr_[wt]\d|\boft_(?:blocks|diag)|^lycoris_"
)

PLACES = (
    # The first row that matches counts: the keys of a LoRA hold the names of its model's layers, and so on.
    Place(
        TURBO_LORA,
        "loras",
        f"{_LOAD_T2V} (lora_name)",
        keys=(r"^0\.lora_up$",),  # as `state_dicts` names the tensors of such a list
    ),
    Place(
        LORA,
        "loras",
        f"{_LOAD_T2V} (lora_name)",
        keys=(_LOW_RANK,),
        demo="few_steps",
        note=" if it was made for that model, else for core's Load LoRA",
    ),
    Place(
        ALL_IN_ONE,
        "checkpoints",
        "core's Load Checkpoint",
        keys=(r"model\.diffusion_model\.", r"first_stage_model\.|cond_stage_model\.|conditioner\."),
        note="; or, of Stable Diffusion 1.5, beside a file of motion modules in a folder of "
        f"models/{_T2V}, for {_LOAD_T2V}",
    ),
    Place(
        ADAPTER,
        "a2v_audio_adapters",
        "Load Audio Adapter",
        keys=(r"^attention\.\d+\.", r"^mapper\.", r"^sub_frame$"),
        endings=(SAFETENSORS,),
    ),
    Place(MAPPER, "a2v_mappers", "Load AudioMapper", keys=(r"^fc1\.weight$", r"\bfga\."), demo="mapper"),
    Place(
        BEATS,
        "audio_encoders",
        "Load BEATs",
        keys=(r"^patch_embedding\.", r"^encoder\.layers\.0\.self_attn\."),
        demo="beats",
    ),
    Place(
        CLIP_VISION,
        "clip_vision",
        "core's Load CLIP Vision",
        keys=(r"\bvision_model\.(?:embeddings|encoder)\.|^visual\.transformer\.",),
        note="; no node of this pack takes it",
    ),
    Place(TEXT_ENCODER, _T2V, _LOAD_T2V, keys=(r"\bembeddings\.token_embedding\.",), part="text_encoder"),
    Place(
        OTHER_TEXT_ENCODER,
        "text_encoders",
        "core's Load CLIP",
        keys=(r"\btransformer\.resblocks\.|\bencoder\.block\.0\.layer\.0\.SelfAttention\.",),
        note="; no node of this pack takes it",
    ),
    Place(
        ORIGINAL_VAE,
        "vae",
        "core's Load VAE",
        keys=(r"\bencoder\.conv_in\.", r"\bdecoder\.conv_in\.", r"\bencoder\.down\.\d"),
        note=f"; {_LOAD_T2V} needs that of the model's diffusers folder",
    ),
    Place(VAE, _T2V, _LOAD_T2V, keys=(r"\bencoder\.conv_in\.", r"\bdecoder\.conv_in\."), part="vae"),
    Place(
        CONTROLNET,
        "controlnet",
        "core's Load ControlNet Model",
        keys=(r"\bcontrolnet_cond_embedding\.|\bcontrolnet_down_blocks\.|\bzero_convs\.",),
        note="; no node of this pack takes it",
    ),
    Place(UNET, _T2V, _LOAD_T2V, keys=(r"\bdown_blocks\.", r"\btime_embedding\.", _TEMPORAL), part="unet"),
    Place(
        MOTION_ADAPTER,
        _T2V,
        _LOAD_T2V,
        keys=(r"\bmotion_modules\.\d+\.",),
        part="motion_adapter",
        note="; or beside a checkpoint of Stable Diffusion 1.5 in a folder there",
    ),
    Place(
        PICTURE_UNET,
        "diffusion_models",
        _LOAD_DIFFUSION,
        keys=(r"\bdown_blocks\.", r"\btime_embedding\."),
        note=f"; {_LOAD_T2V} needs one for videos",
    ),
    Place(
        ORIGINAL_T2V_UNET,
        "",
        "",
        keys=(r"\binput_blocks\.", r"\btime_embed\.", _TEMPORAL),
        note="get the model's diffusers folder instead",
    ),
    Place(
        ORIGINAL_UNET,
        "diffusion_models",
        _LOAD_DIFFUSION,
        keys=(r"\binput_blocks\.", r"\btime_embed\."),
        note=f"; {_LOAD_T2V} needs the diffusers folder of a text-to-video model instead",
    ),
    Place(
        OTHER_ENCODER,
        "audio_encoders",
        "core's AudioEncoderLoader",
        keys=(r"\bfeature_extractor\.conv_layers\.|\bencoder\.conv1\.",),
        note="; this pack needs BEATs",
    ),
    Place(
        DIT,
        "diffusion_models",
        _LOAD_DIFFUSION,
        keys=(r"\b(?:double|joint|transformer)_blocks\.0\.|\bblocks\.0\.cross_attn\.",),
        note=f"; {_LOAD_T2V} takes ModelScope, Zeroscope, AnimateDiff and Wan, as folders",
    ),
    Place(T2V_FOLDER, _T2V, _LOAD_T2V, endings=FOLDERS, demo="t2v"),
    Place(
        OTHER_FOLDER,
        "",
        "",
        endings=FOLDERS,
        note=f"{_LOAD_T2V} needs ModelScope, Zeroscope, AnimateDiff or Wan",
    ),
)


def weight_files(names: Iterable[str]) -> list[str]:
    """Those of the files in a folder that hold weights, sorted; without what macOS notes about files."""
    return sorted(name for name in names if name.lower().endswith(WEIGHTS) and not name.startswith("."))


def holds_model(names: Iterable[str]) -> bool:
    """Whether a folder with files of these names may be a text-to-video model: one in the diffusers layout,
    or one of two single files, such as a checkpoint and its motion modules."""
    names = list(names)
    is_part = PART_CONFIG in names  # of a model in the diffusers layout
    return MODEL_INDEX in names or (not is_part and len(weight_files(names)) > 1)


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
            if place.keys and all(re.search(pattern, text, re.MULTILINE) for pattern in place.keys)
        ),
        UNKNOWN,
    )


_BY_KIND = {place.kind: place for place in PLACES}
