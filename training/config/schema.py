"""The config of a training: one typed class per section of the YAML file.

Unknown keys and wrong types are errors. The defaults are those of the paper's published trainer where it has
the setting, except the layout of the mapper: new mappers are `time_aligned`. Times are in seconds.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator

from .fitting import Checkpoints, Logging, Loss, Optimizer, Run, Validation
from .inputs import Adapter, Audio, Cache, Data, Mapper, Models
from .section import AnyPath, Count, Section


class Config(Section):
    """All settings of a training.

    output_dir  folder of all output files
    seed        of all random numbers
    """

    output_dir: AnyPath
    seed: Count = 64
    models: Models
    data: Data
    audio: Audio = Audio()
    cache: Cache = Cache()
    mapper: Mapper = Mapper()
    adapter: Adapter = Adapter()
    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    run: Run = Run()
    checkpoints: Checkpoints = Checkpoints()
    validation: Validation = Validation()
    logging: Logging = Logging()

    @property
    def cache_dir(self) -> Path:
        """Folder of the cache."""
        return self.cache.dir or self.output_dir / "cache"

    @property
    def averages_frequency(self) -> bool:
        """Whether features are kept without their frequency bands."""
        average = self.cache.average_frequency
        return self.mapper.layout == "time_aligned" if average is None else average

    @model_validator(mode="after")
    def _check(self) -> Config:
        if self.mapper.layout == "reference" and self.averages_frequency:
            raise ValueError(
                "mapper.layout reference needs every frequency band: cache.average_frequency must be false"
            )
        if self.validation.away_from == "no_sound" and not self.loss.condition_dropout:
            raise ValueError("validation.away_from no_sound needs loss.condition_dropout above 0")
        missing = set(self.mapper.layers) - set(self.cache.layers)
        if self.cache.layers and (missing or not self.mapper.layers):
            raise ValueError("cache.layers must hold every layer that mapper.layers names")
        return self
