"""A ComfyUI server: start it, upload files, queue a prompt, follow its progress, fetch its outputs."""

from ...comfyui import find_comfyui
from .client import ComfyClient, connect, normal_url
from .errors import InterruptedRun, LostRun, NodeError, ServerDied, ServerUnreachable
from .execution import Execution, execute, rejoin
from .outputs import LeftFile, OutputFile, check_folder, fetch_outputs, texts_of
from .process import ComfyServer, running_server
from .progress import Progress, Silent, for_terminal
from .uploads import audio_target, is_file, send_inputs

__all__ = [
    "ComfyClient",
    "ComfyServer",
    "Execution",
    "InterruptedRun",
    "LeftFile",
    "LostRun",
    "NodeError",
    "OutputFile",
    "Progress",
    "ServerDied",
    "ServerUnreachable",
    "Silent",
    "audio_target",
    "check_folder",
    "connect",
    "execute",
    "fetch_outputs",
    "find_comfyui",
    "for_terminal",
    "is_file",
    "normal_url",
    "rejoin",
    "running_server",
    "send_inputs",
    "texts_of",
]
