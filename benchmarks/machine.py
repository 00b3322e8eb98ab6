"""What a measurement has to say of the machine, and how much memory the process holds."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import torch


def describe_machine() -> dict[str, object]:
    """Processor, threads that torch uses, and versions."""
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def resident_bytes() -> tuple[int, int]:
    """Resident memory of this process in bytes: now, and the most that it ever was."""
    status = Path("/proc/self/status")
    if status.is_file():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        now, peak = (1024 * int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM"))
        return now, max(now, peak)  # the kernel counts lazily
    import psutil

    memory = psutil.Process().memory_info()
    if sys.platform == "win32":
        return memory.rss, memory.peak_wset
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, kilobytes elsewhere
    return memory.rss, most if sys.platform == "darwin" else 1024 * most


def forget_peak() -> bool:
    """Let the peak of `resident_bytes` begin anew; False where the system cannot (all but Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
