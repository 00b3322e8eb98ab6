"""Frozen text-to-video models: what all of them offer (`contract.py`), and one folder for every family."""

from __future__ import annotations

from .contract import (
    PARTS,
    AudioAdapted,
    Backbone,
    BackboneSpec,
    BlockStack,
    CompiledBlocks,
    FeatureReuse,
    Grid,
    HalfPrecision,
    LongWork,
    OffloadedWeights,
    Part,
    Recompute,
    WindowedAttention,
    WordEmbeddings,
    check_size,
    networks,
    require,
    to_device,
)
from .diffusers_folder import check_folder, denoiser_class, denoiser_folder, parts_of, read_json
from .dtypes import DTYPES, FP8
from .feature_cache import FeatureCache
from .fingerprint import bytes_of, fingerprint_of
from .load import load_t2v
from .windows import Windows, make_windows

__all__ = [
    "DTYPES",
    "FP8",
    "PARTS",
    "AudioAdapted",
    "Backbone",
    "BackboneSpec",
    "BlockStack",
    "CompiledBlocks",
    "FeatureCache",
    "FeatureReuse",
    "Grid",
    "HalfPrecision",
    "LongWork",
    "OffloadedWeights",
    "Part",
    "Recompute",
    "WindowedAttention",
    "Windows",
    "WordEmbeddings",
    "bytes_of",
    "check_folder",
    "check_size",
    "denoiser_class",
    "denoiser_folder",
    "fingerprint_of",
    "load_t2v",
    "make_windows",
    "networks",
    "parts_of",
    "read_json",
    "require",
    "to_device",
]
