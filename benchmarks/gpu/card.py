"""What a report has to say of the device: card, driver, versions, and which packages there are."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from typing import Any

import torch

from ..machine import describe_machine

# What some measurements need beside torch, by the name that pip knows.
PACKAGES = (
    *("diffusers", "transformers", "safetensors", "accelerate", "pydantic", "pyyaml", "triton"),
    *(
        "av",
        "soxr",
        "librosa",
        "opencv-python-headless",
        "aiohttp",
        "psutil",
        "torchsde",
        "scipy",
        "torchaudio",
    ),
)


def describe(device: torch.device) -> dict[str, Any]:
    """Everything that tells this machine from another."""
    return describe_machine() | {
        "device": name_of(device),
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "driver": _driver() if device.type == "cuda" else None,
        "memory_bytes": torch.cuda.get_device_properties(device).total_memory
        if device.type == "cuda"
        else None,
        "capability": list(torch.cuda.get_device_capability(device)) if device.type == "cuda" else None,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def name_of(device: torch.device) -> str:
    """The card's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _driver() -> str | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else None
