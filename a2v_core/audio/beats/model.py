"""BEATs (Chen et al. 2022, arXiv 2212.09058): a transformer over 16 x 16 patches of a log-mel filter bank.

Own implementation of the published network; the state dict has the published keys. The outputs of all layers
are returned, since the AudioMapper reads all of them.

Shapes: B sounds, F filter bank frames, T = F // patch time steps, Q frequency patches, N = T * Q tokens
(time-major, frequency fastest), E width, L layers.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import MediaError
from ..fbank import MEL_BINS
from .attention import GatedSelfAttention
from .config import BEATsConfig


class WeightNormConv1d(nn.Module):
    """Same-length grouped convolution over time whose weight has one learned norm per tap.

    Written out instead of torch's weight_norm for the published parameter names weight_g and weight_v.
    """

    def __init__(self, channels: int, taps: int, groups: int) -> None:
        super().__init__()
        self.taps, self.groups = taps, groups
        self.bias = nn.Parameter(torch.zeros(channels))
        self.weight_g = nn.Parameter(torch.empty(1, 1, taps))
        self.weight_v = nn.Parameter(torch.empty(channels, channels // groups, taps))
        nn.init.normal_(self.weight_v, std=math.sqrt(4 / (taps * channels)))
        with torch.no_grad():
            self.weight_g.copy_(self.weight_v.norm(dim=(0, 1), keepdim=True))

    def forward(self, x: Tensor) -> Tensor:
        """[B, E, N] -> [B, E, N]."""
        weight = self.weight_v * (self.weight_g / self.weight_v.norm(dim=(0, 1), keepdim=True))
        length = x.shape[-1]
        return F.conv1d(x, weight, self.bias, padding=self.taps // 2, groups=self.groups)[..., :length]


class EncoderLayer(nn.Module):
    """Post-norm transformer layer with the residual scale of DeepNorm."""

    def __init__(self, config: BEATsConfig, relative_attention_bias: nn.Embedding) -> None:
        super().__init__()
        width = config.encoder_embed_dim
        self.residual_scale = config.residual_scale
        self.self_attn = GatedSelfAttention(config, relative_attention_bias)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, config.encoder_ffn_embed_dim)
        self.fc2 = nn.Linear(config.encoder_ffn_embed_dim, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, bias_by_distance: Tensor) -> Tensor:
        """[B, N, E] -> [B, N, E]."""
        x = self.self_attn_layer_norm(x * self.residual_scale + self.self_attn(x, bias_by_distance))
        out: Tensor = self.final_layer_norm(x * self.residual_scale + self.fc2(F.gelu(self.fc1(x))))
        return out


class Encoder(nn.Module):
    """Convolutional position embedding, then the layers."""

    def __init__(self, config: BEATsConfig) -> None:
        super().__init__()
        width = config.encoder_embed_dim
        self.pos_conv = nn.Sequential(
            WeightNormConv1d(width, config.conv_pos, config.conv_pos_groups), nn.GELU()
        )
        # One table for all layers; the published files hold a copy per layer, and so does this state dict.
        bias = nn.Embedding(config.num_buckets, config.encoder_attention_heads)
        self.layers = nn.ModuleList(EncoderLayer(config, bias) for _ in range(config.encoder_layers))
        self.layer_norm = nn.LayerNorm(width)
        self._reset_parameters(config)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """[B, N, E] -> L tensors [B, N, E], first layer first."""
        x = self.layer_norm(x + self.pos_conv(x.transpose(1, 2)).transpose(1, 2))
        attention = self.layers[0].self_attn
        assert isinstance(attention, GatedSelfAttention)
        bias_by_distance = attention.bias_by_distance(x.shape[1])
        outputs = []
        for layer in self.layers:
            x = layer(x, bias_by_distance)
            outputs.append(x)
        return tuple(outputs)

    def _reset_parameters(self, config: BEATsConfig) -> None:
        """The published initial values, for training from scratch: BERT's, then DeepNorm's on top."""
        damped = (8 * config.encoder_layers) ** -0.25 if config.deep_norm else 1.0
        for name, module in self.layers.named_modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            elif isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
                if name.endswith("grep_linear") or not config.deep_norm:
                    nn.init.normal_(module.weight, std=0.02)
                else:
                    gain = 1.0 if name.endswith(("q_proj", "k_proj")) else damped
                    nn.init.xavier_normal_(module.weight, gain=gain)


class BEATs(nn.Module):
    """The whole network, trainable, built from the `cfg` of a checkpoint (`BEATsConfig.from_cfg(cfg)`)."""

    def __init__(self, config: BEATsConfig) -> None:
        super().__init__()
        self.config = config
        patch = config.input_patch_size
        self.patch_embedding = nn.Conv2d(1, config.embed_dim, patch, stride=patch, bias=config.conv_bias)
        self.layer_norm = nn.LayerNorm(config.embed_dim)
        same_width = config.embed_dim == config.encoder_embed_dim
        self.post_extract_proj = None if same_width else nn.Linear(config.embed_dim, config.encoder_embed_dim)
        self.encoder = Encoder(config)
        # Class logits are the mean over the tokens; the classes are independent (sigmoid), as in AudioSet.
        classes = config.predictor_class
        self.predictor = nn.Linear(config.encoder_embed_dim, classes) if classes else None
        # Labels of the classes as their file has them: AudioSet ids in the published ones. Else empty.
        self.labels: tuple[str, ...] = ()

    def forward(self, fbank: Tensor) -> tuple[Tensor, ...]:
        """Normalised filter bank [B, F, 128] (`beats_fbank`) -> the output [B, N, E] of each of the L layers.

        Frames beyond the last whole patch are dropped. Raises MediaError below one patch of frames.
        """
        patch = self.config.input_patch_size
        if fbank.ndim != 3 or fbank.shape[1] < patch or fbank.shape[2] != MEL_BINS:
            raise MediaError(
                f"BEATs needs a filter bank [sounds, frames, {MEL_BINS}] of at least {patch} frames, "
                f"got {list(fbank.shape)}; give it a longer sound"
            )
        patches = self.patch_embedding(fbank.unsqueeze(1))
        x = self.layer_norm(patches.flatten(2).transpose(1, 2))
        if self.post_extract_proj is not None:
            x = self.post_extract_proj(x)
        outputs: tuple[Tensor, ...] = self.encoder(x)
        return outputs
