"""Trains what brings the sound into a base model: an AudioMapper, or an audio adapter with one in it."""

from __future__ import annotations

from torch import Tensor

from a2v_core.backbones import AudioAdapted, Backbone, require
from a2v_core.backbones.dit import AdapterConfig, AudioAdapter
from a2v_core.tokens import AudioMapper

from ...demo_world.captioned import object_weight
from ..adapter import make_adapter, seeded
from ..caches import Clips, Models
from ..train import StepLoss, Trained, fit
from .models import KINDS
from .settings import BaseRecipe, BaseVariant

BaseAdapter = AudioMapper | AudioAdapter


def new_adapter(
    backbone: Backbone, recipe: BaseRecipe, variant: BaseVariant, input_size: int, seed: int
) -> BaseAdapter:
    """An untrained adapter for features of a width, with random weights from the seed."""
    if backbone.spec.audio == "words":
        return _mapper(variant, input_size, backbone.spec.word_width, seed)
    stack = require(backbone, AudioAdapted, "an audio adapter").block_stack()
    config = AdapterConfig.for_model(
        backbone.spec,
        stack,
        variant.blocks,
        base_model=variant.base,
        token_width=recipe.token_width,
        inner=recipe.inner,
        heads=recipe.heads,
        kinds=variant.words,
        route=variant.route,
    )
    mapper = _mapper(variant, input_size, recipe.token_width, seed)
    with seeded(seed):
        return AudioAdapter(config, mapper)


def use(backbone: Backbone, adapter: BaseAdapter) -> AudioMapper:
    """From now on sound comes into the base through this adapter; returns its AudioMapper."""
    if isinstance(adapter, AudioMapper):
        return adapter
    require(backbone, AudioAdapted, "an audio adapter").use_adapter(adapter)
    return adapter.mapper


def train(
    models: Models,
    clips: Clips,
    walls: dict[str, Tensor],
    recipe: BaseRecipe,
    variant: BaseVariant,
    seed: int,
) -> Trained[BaseAdapter]:
    """Train an adapter; the object weighs more in the loss than the wall. TrainingError when the loss is not
    finite.
    """
    features, _ = clips.audio_features(variant.layout, variant.hop_ms)
    adapter = new_adapter(models.backbone, recipe, variant, features.shape[-1], seed)
    loss = StepLoss(
        models,
        clips,
        recipe,
        variant,
        seed,
        use(models.backbone, adapter),
        models.prediction_error(),
        KINDS[variant.base].timesteps(models.backbone, recipe),
        weight=lambda clean, scenes: object_weight(clean, scenes, walls),
    )
    return fit(adapter, loss)


def _mapper(variant: BaseVariant, input_size: int, width: int, seed: int) -> AudioMapper:
    mapper = make_adapter(variant, input_size, width, seed)
    assert isinstance(mapper, AudioMapper)
    return mapper
