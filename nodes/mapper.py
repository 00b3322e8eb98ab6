"""What flows through the A2V_MAPPER socket: an AudioMapper that ComfyUI keeps."""

from __future__ import annotations

from ..a2v_core.tokens import AudioMapper
from . import runtime


class ManagedMapper:
    """The mapper is small: a plain `load` before each use is all it needs."""

    def __init__(self, mapper: AudioMapper) -> None:
        self._mapper = mapper
        self._managed = runtime.Managed(mapper, runtime.text_devices())

    def ready(self) -> AudioMapper:
        """The mapper, on the device it runs on."""
        self._managed.load()
        return self._mapper
