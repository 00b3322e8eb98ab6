"""What flows through the A2V_MAPPER socket: an AudioMapper that ComfyUI keeps."""

from __future__ import annotations

import functools

from ..a2v_core.backbones import fingerprint_of
from ..a2v_core.tokens import AudioMapper
from . import runtime


class ManagedMapper:
    """The mapper is small: a plain `load` before each use is all it needs."""

    def __init__(self, mapper: AudioMapper) -> None:
        self._mapper = mapper
        self._managed = runtime.Managed(mapper, runtime.text_devices())

    @functools.cached_property
    def fingerprint(self) -> str:
        """What says this mapper from others, wherever its weights lie."""
        return fingerprint_of(self._mapper, {"config": self._mapper.config.to_json()}).hex()

    def ready(self) -> AudioMapper:
        """The mapper, on the device it runs on."""
        self._managed.load()
        return self._mapper
