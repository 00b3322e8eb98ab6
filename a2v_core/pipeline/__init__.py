"""The front door: a sound and a prompt -> a video whose frames follow the sound.

    tokens = hear(load_beats(...), load_mapper(...), load_audio("drums.wav"), fps=12)
    request = VideoRequest("a video of <temp> <class>", tokens)
    video = VideoPipeline(load_t2v(...)).generate(request)
    video.save("video.mp4")

Nodes, trainers and benchmarks come in here too; those that look at one stage call its method.
"""

from __future__ import annotations

from .generate import VideoPipeline, Watcher
from .hearing import hear, listen
from .memory import InPlace, InTurn, MemoryManager
from .request import DEFAULT_FPS, Contexts, Video, VideoRequest

__all__ = [
    "DEFAULT_FPS",
    "Contexts",
    "InPlace",
    "InTurn",
    "MemoryManager",
    "Video",
    "VideoPipeline",
    "VideoRequest",
    "Watcher",
    "hear",
    "listen",
]
