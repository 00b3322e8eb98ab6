"""Processes of one training, as a launcher starts them."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.training.forked import Command, Forks


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def launched(forks: Forks, folder: Path, module: str, *arguments: list[str]) -> list[tuple[int, str]]:
    """Exit status and output of the processes of a group, each with its arguments; gloo connects them."""
    common = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": free_port(),
        "WORLD_SIZE": str(len(arguments)),
        "GLOO_SOCKET_IFNAME": "lo",
    }
    logs = [folder / f"{module}-{rank}.log" for rank in range(len(arguments))]
    commands = [
        Command(module, own, str(log), environment=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank, (own, log) in enumerate(zip(arguments, logs, strict=True))
    ]
    running = [forks.start(command) for command in commands]
    return [(forks.wait(pid), log.read_text()) for pid, log in zip(running, logs, strict=True)]
