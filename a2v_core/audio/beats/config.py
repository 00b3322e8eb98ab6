"""The `cfg` of a BEATs checkpoint: the hyperparameters that the network is built from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...errors import CheckpointError
from ..fbank import MEL_BINS

_REMEDY = "use the file that the BEATs authors published, or what a2v_core.models convert makes of it"
_FIXED = {
    "layer_norm_first": False,
    "activation_fn": "gelu",
    "relative_position_embedding": True,
    "gru_rel_pos": True,
}


@dataclass(frozen=True, kw_only=True)
class BEATsConfig:
    """Sizes of a BEATs encoder, under the names of the published `cfg`.

    There are no defaults on purpose: those of the published code belong to no published checkpoint. Fields
    of the `cfg` that matter only while BEATs itself is trained (dropout, layer drop, learning rate decay)
    are left out. `predictor_class` is 0 for a model without the classifier head.
    """

    input_patch_size: int
    embed_dim: int
    conv_bias: bool
    encoder_layers: int
    encoder_embed_dim: int
    encoder_ffn_embed_dim: int
    encoder_attention_heads: int
    deep_norm: bool
    conv_pos: int
    conv_pos_groups: int
    num_buckets: int
    max_distance: int
    predictor_class: int

    @classmethod
    def from_cfg(cls, cfg: Mapping[str, object]) -> "BEATsConfig":
        """Read a published `cfg`. Raises CheckpointError for missing fields and unpublished variants."""
        for name, value in _FIXED.items():
            if cfg.get(name) != value:
                raise CheckpointError(
                    f"BEATs cfg: {name} must be {value!r}, got {cfg.get(name)!r}; {_REMEDY}"
                )
        values: dict[str, Any] = {}
        for field in fields(cls):
            flag = field.type is bool
            value = cfg.get(field.name)
            if field.name == "predictor_class" and not cfg.get("finetuned_model", False):
                value = 0
            if not isinstance(value, int) or isinstance(value, bool) != flag or (not flag and value < 0):
                raise CheckpointError(
                    f"BEATs cfg: {field.name} must be {'true or false' if flag else 'a whole number'}, "
                    f"got {value!r}; {_REMEDY}"
                )
            values[field.name] = value
        config = cls(**values)
        config._check_sizes()
        return config

    def to_cfg(self) -> dict[str, object]:
        """The published form: `BEATsConfig.from_cfg(config.to_cfg()) == config`."""
        cfg: dict[str, object] = {field.name: getattr(self, field.name) for field in fields(self)}
        if not self.predictor_class:
            del cfg["predictor_class"]
        return cfg | _FIXED | {"finetuned_model": self.predictor_class > 0}

    @property
    def frequency_patches(self) -> int:
        """Q: how many patches lie above each other in one time step."""
        return MEL_BINS // self.input_patch_size

    @property
    def residual_scale(self) -> float:
        """Alpha of DeepNorm (Wang et al. 2022): weight of the residual branch, (2 L)^(1/4)."""
        return (2 * self.encoder_layers) ** 0.25 if self.deep_norm else 1.0

    def _check_sizes(self) -> None:
        sizes_fit = (
            self.encoder_layers > 0
            and 0 < self.input_patch_size <= MEL_BINS
            and self.encoder_attention_heads > 0
            and self.encoder_embed_dim % self.encoder_attention_heads == 0
            and self.conv_pos > 0
            and self.conv_pos_groups > 0
            and self.encoder_embed_dim % self.conv_pos_groups == 0
            and self.num_buckets >= 4
            and self.max_distance > self.num_buckets // 4
        )
        if not sizes_fit:
            raise CheckpointError(f"BEATs cfg: the sizes do not fit each other ({self}); {_REMEDY}")
