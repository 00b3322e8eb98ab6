"""Frozen text-to-video models: what all of them offer, and one folder for every family."""

from __future__ import annotations

from .contract import Backbone, Part, Resumable, check_size
from .diffusers_folder import PARTS, check_folder, read_json
from .feature_cache import FeatureCache
from .fingerprint import bytes_of
from .image_vae import decode, decode_chunks, encode, scale_factor
from .windows import Windows, make_windows

__all__ = [
    "PARTS",
    "Backbone",
    "FeatureCache",
    "Part",
    "Resumable",
    "Windows",
    "bytes_of",
    "check_folder",
    "check_size",
    "decode",
    "decode_chunks",
    "encode",
    "make_windows",
    "read_json",
    "scale_factor",
]
