"""Conversion of published files to safetensors with a config, and of mappers back for the published code."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..audio.beats import convert_beats, load_beats
from ..checkpoints import read_checkpoint, refuse_overwrite
from ..errors import A2VError, CheckpointError
from ..places import BEATS, MAPPER, SAFETENSORS, belongs, describe
from ..tokens import export_learned_embeds, load_mapper, save_mapper
from .catalogue import Kind


def convert(
    source: str | Path, target: str | Path, kind: Kind | None = None, base_model: str = ""
) -> dict[str, Any]:
    """Write the BEATs or AudioMapper file `source` as `target`; returns what was written, ready for JSON.

    `kind` is read from the file when it is not given. `target` ends in .safetensors, or for a mapper in .pth:
    the plain state dict of the published code. `base_model` notes what text-to-video model a mapper is for.
    Raises A2VError when `target` exists, has another ending or no folder, CheckpointError when `source` is no
    such model; then nothing is written.
    """
    source, target = Path(source), Path(target)
    refuse_overwrite(target)
    if not target.absolute().parent.is_dir():
        raise A2VError(f"{target}: the folder does not exist; create it first")
    if target.suffix.lower() not in (SAFETENSORS, ".pth"):
        raise A2VError(f"{target}: the output has to end in .safetensors, or .pth for the published code")
    if (kind or kind_of(source)) == "mapper":
        facts = _convert_mapper(source, target, base_model)
    elif base_model:
        raise A2VError("--base-model is for AudioMappers; BEATs has none")
    else:
        facts = _convert_beats(source, target)
    return {"source": str(source), "target": str(target), "bytes": target.stat().st_size, **facts}


def check(path: Path, kind: Kind) -> None:
    """CheckpointError unless the file loads as a model of that kind."""
    if kind == "mapper":
        load_mapper(path)
    else:
        load_beats(path)


def kind_of(path: Path) -> Kind:
    """Whether a file holds a BEATs or an AudioMapper. CheckpointError for everything else."""
    found = describe(read_checkpoint(path).tensors)
    if found == MAPPER:
        return "mapper"
    if found == BEATS:
        return "beats"
    where = f" It belongs {place}" if (place := belongs(found)) else ""
    raise CheckpointError(
        f"{path}: expected a BEATs or AudioMapper file, found: {found}.{where}; nothing to convert"
    )


def _convert_beats(source: Path, target: Path) -> dict[str, Any]:
    if target.suffix.lower() != SAFETENSORS:
        raise A2VError(f"{target}: the output of a BEATs file has to end in {SAFETENSORS}")
    config = convert_beats(source, target)
    return {
        "kind": BEATS,
        "layers": config.encoder_layers,
        "width": config.encoder_embed_dim,
        "classes": config.predictor_class,
        "config": asdict(config),
    }


def _convert_mapper(source: Path, target: Path, base_model: str) -> dict[str, Any]:
    mapper = load_mapper(source)
    if base_model:
        mapper.config = replace(mapper.config, base_model=base_model)
    write = save_mapper if target.suffix.lower() == SAFETENSORS else export_learned_embeds
    write(target, mapper)
    return {
        "kind": MAPPER,
        "parameters": sum(value.numel() for value in mapper.state_dict().values()),
        "config": json.loads(mapper.config.to_json()),
    }
