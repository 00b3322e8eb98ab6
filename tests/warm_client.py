"""What a script does that stands for Python: `warm_client.py SOCKET SCRIPT ARGUMENTS...` asks `tests.warm`.

Standard library only, and little of it: it runs as `python -I -S`.
"""

import json
import os
import signal
import socket
import sys


def ask(path: str, arguments: list[str], executable: str, streams: tuple[int, int, int]) -> socket.socket:
    """The connection: the process's id is its first line, the exit status its second."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    request = {
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "executable": executable,
    }
    socket.send_fds(client, [json.dumps(request).encode()], streams)
    return client


def main(path: str, executable: str, arguments: list[str]) -> int:
    """Run it, or be a plain Python for what the other cannot do."""
    plain = list(arguments)
    while arguments and arguments[0] in ("-u", "-B"):
        arguments.pop(0)
    if not arguments or (arguments[0].startswith("-") and arguments[0] != "-m"):
        os.execv(sys.executable, [sys.executable, *plain])
    lines = ask(path, arguments, executable, (0, 1, 2)).makefile()
    pid = int(lines.readline())
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda number, _: os.kill(pid, number))
    code = int(lines.readline() or -signal.SIGKILL)
    if code < 0:  # end in the same way
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
