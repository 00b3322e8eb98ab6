"""BEATs model files: the published `.pt`, and safetensors with the same keys and the `cfg` in the header."""

import json
from pathlib import Path

import torch
from torch import Tensor

from ...checkpoints import Checkpoint, load_strict, read_checkpoint, write_safetensors
from ...errors import CheckpointError
from ...places import BEATS, describe
from .config import BEATsConfig
from .model import BEATs

CFG_KEY = "cfg"
LABELS_KEY = "label_dict"
_TABLE_KEY = "encoder.layers.{}.self_attn.relative_attention_bias.weight"


def load_beats(path: str | Path) -> BEATs:
    """Load a BEATs checkpoint onto the CPU in float32, in eval mode.

    Takes the published `.pt` (`{"cfg": ..., "model": ...}`, pre-trained or fine-tuned) and safetensors with
    `cfg` in the metadata; half-precision files are widened. The bias table that all layers share may be in
    the file once or once per layer. Raises CheckpointError for anything else.
    """
    checkpoint = read_checkpoint(path)
    config = BEATsConfig.from_cfg(read_cfg(checkpoint, path))
    with torch.device("meta"):
        model = BEATs(config)
    load_strict(model, _with_every_table(checkpoint.tensors, config, path), path, expected=BEATS)
    model.labels = _read_labels(checkpoint, config, path)
    return model.eval().requires_grad_(False)


def save_beats(path: str | Path, model: BEATs) -> None:
    """Write safetensors that `load_beats` reads: the published keys, `cfg` and labels in the metadata."""
    metadata = {CFG_KEY: json.dumps(model.config.to_cfg())}
    if model.labels:
        metadata[LABELS_KEY] = json.dumps(dict(enumerate(model.labels)))
    write_safetensors(path, model.state_dict(), metadata)


def convert_beats(source: str | Path, target: str | Path) -> BEATsConfig:
    """Write the checkpoint `source` as safetensors: same keys, values, dtypes; cfg and labels as metadata.

    Raises CheckpointError, before anything is written, when `source` is not a BEATs checkpoint that loads.
    """
    checkpoint = read_checkpoint(source)
    cfg = read_cfg(checkpoint, source)
    config = load_beats(source).config
    metadata = {CFG_KEY: json.dumps(cfg)}
    labels = checkpoint.extra.get(LABELS_KEY)
    if isinstance(labels, dict):
        metadata[LABELS_KEY] = json.dumps(labels)
    elif LABELS_KEY in checkpoint.metadata:
        metadata[LABELS_KEY] = checkpoint.metadata[LABELS_KEY]
    write_safetensors(target, checkpoint.tensors, metadata)
    return config


def read_cfg(checkpoint: Checkpoint, path: str | Path) -> dict[str, object]:
    """The `cfg` of a BEATs checkpoint. Raises CheckpointError without one, saying what the file is."""
    cfg: object = checkpoint.extra.get(CFG_KEY)
    if cfg is None and CFG_KEY in checkpoint.metadata:
        try:
            cfg = json.loads(checkpoint.metadata[CFG_KEY])
        except json.JSONDecodeError as error:
            raise CheckpointError(f"{path}: the cfg in the metadata is not JSON ({error})") from error
    if isinstance(cfg, dict):
        return cfg
    found = describe(checkpoint.tensors)
    if found == BEATS:
        raise CheckpointError(
            f"{path}: holds BEATs weights but not the cfg that says how to build the encoder; "
            "use the file that the BEATs authors published, or what a2v_core.models convert makes of it"
        )
    # Not a BEATs file: an empty model makes load_strict say what it is and where it belongs.
    load_strict(torch.nn.Module(), checkpoint.tensors, path, expected=BEATS)
    raise CheckpointError(f"{path}: expected {BEATS} weights with a cfg, found {found}")


def _read_labels(checkpoint: Checkpoint, config: BEATsConfig, path: str | Path) -> tuple[str, ...]:
    """The `label_dict` of a checkpoint with a head: one label for every class, or none at all."""
    found = checkpoint.extra.get(LABELS_KEY)
    if found is None and LABELS_KEY in checkpoint.metadata:
        try:
            found = json.loads(checkpoint.metadata[LABELS_KEY])
        except json.JSONDecodeError as error:
            raise CheckpointError(
                f"{path}: the {LABELS_KEY} in the metadata is not JSON ({error})"
            ) from error
    if not isinstance(found, dict) or not config.predictor_class:
        return ()
    by_number = {str(number): label for number, label in found.items()}
    labels = [by_number.get(str(number)) for number in range(config.predictor_class)]
    return tuple(map(str, labels)) if None not in labels else ()


def _with_every_table(tensors: dict[str, Tensor], config: BEATsConfig, path: str | Path) -> dict[str, Tensor]:
    """Add the missing copies of the shared bias table; refuse copies that differ."""
    table = tensors.get(_TABLE_KEY.format(0))
    if table is None:
        return tensors
    full = dict(tensors)
    for layer in range(config.encoder_layers):
        copy = full.setdefault(_TABLE_KEY.format(layer), table)
        if not torch.equal(copy, table):
            raise CheckpointError(
                f"{path}: {_TABLE_KEY.format(layer)} differs from that of layer 0, but BEATs has one table "
                "for all layers; get the published file again"
            )
    return full
