"""What all sections of a config have in common: their base class, and kinds of values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from a2v_core.stores import Place, place_of


def _place(value: Any) -> Place:
    if not isinstance(value, str | Path):
        raise ValueError("is no path and no address such as s3://bucket/clips")
    return place_of(value)


AnyPlace = Annotated[Place, PlainValidator(_place)]
AnyPath = Annotated[Path, Field(strict=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A part of the config."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)
