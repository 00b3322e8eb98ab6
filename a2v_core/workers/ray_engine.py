"""Ray as the engine: where it runs, and calls that survive the death of a worker. Ray is imported here alone.

A local Ray is started without dashboard, usage statistics and log files of its user: its files are in a
temporary folder that is deleted at the end, and its processes end with this one, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import A2VError

ATTEMPTS = 3
CANCEL_SECONDS = 5.0
LOCAL = "local"
STORE_BYTES = 512 * 2**20
"""Object store of a local Ray; what is larger goes to the temporary folder."""
_FOLDER = "A2V_FOLDER"


@dataclass(frozen=True)
class Cluster:
    """Where to run: `address` is "local", "auto", `ray://HOST:PORT` or HOST:PORT. `cpus` of a local one; 0 is
    all that this process may use."""

    address: str = LOCAL
    cpus: int = 0
    store_bytes: int = STORE_BYTES


class WorkerDied(A2VError):
    """A unit during which its worker died again and again."""


@contextlib.contextmanager
def on_ray(cluster: Cluster) -> Iterator[Any]:
    """The module `ray`, connected while the block lasts; if it is already, to what it is.

    Raises A2VError when Ray is not installed, or there is none at the address.
    """
    ray = _imported()
    if ray.is_initialized():
        yield ray
        return
    if cluster.address == LOCAL:
        # Ray would write one into the user's folder.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    # The path is short: the sockets in it may have 107 characters.
    folder = tempfile.mkdtemp(prefix="a2v-ray-") if cluster.address == LOCAL else None
    try:
        _connect(ray, cluster, folder)
        yield ray
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _imported() -> Any:
    # Read by Ray when it is imported, and by the processes that it starts.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise A2VError(
            "--engine ray needs the package ray: pip install -r training/requirements-ray.txt "
            '(or pip install "ray>=2.40"). Without it leave out --engine'
        ) from error
    return ray


def _connect(ray: Any, cluster: Cluster, folder: str | None) -> None:
    common: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "runtime_env": _as_here(),
    }
    if cluster.address == LOCAL:
        common |= {
            "num_cpus": cluster.cpus or _own_cpus(),
            "object_store_memory": cluster.store_bytes,
            "include_dashboard": False,
            "_temp_dir": folder,
        }
    try:
        _start(ray, cluster.address, common)
    except A2VError:
        raise  # a ValueError, too
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise A2VError(
            f"--address {cluster.address}: there is no Ray ({error}). Start one with `ray start --head`, or "
            "leave out --address for one on this machine"
        ) from error


def _as_here() -> dict[str, Any]:
    """The workers' environment: they find this package, and paths mean what they mean here.

    Ray leaves them in the folder where the cluster was started. With `ray://` it still does: it runs no hook
    there.
    """
    places = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return {
        "env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, places)), _FOLDER: os.getcwd()},
        "worker_process_setup_hook": f"{__name__}.{enter_folder.__name__}",
    }


def enter_folder() -> None:
    """Runs in every worker of a cluster first: go to the folder of the command, if this machine has it."""
    with contextlib.suppress(OSError):
        os.chdir(os.environ[_FOLDER])


def _start(ray: Any, address: str, common: dict[str, Any]) -> None:
    """`ray.init`, again when it gives up on a busy machine: it waits 30 s for its processes, no longer."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            ray.init(address, **common)
        except Exception as error:
            if type(error) is not Exception:  # what it raises then has no type of its own
                raise
            ray.shutdown()
            if attempt == ATTEMPTS:
                raise A2VError(f"Ray did not start, {ATTEMPTS} times: {error}") from error
        else:
            return


def _own_cpus() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


async def survive(
    call: Callable[[], Any], attempts: int = ATTEMPTS, after_death: Callable[[], None] = lambda: None
) -> Any:
    """The result of a remote call that is made again when its worker dies, by a signal, for want of memory or
    with its machine. What the call itself raises is raised.

    call         starts it and returns its ObjectRef
    after_death  called each time, before the next attempt

    Raises WorkerDied when it has died `attempts` times.
    """
    from ray.exceptions import RayError, RayTaskError, TaskCancelledError

    for attempt in range(1, attempts + 1):
        ref = call()
        try:
            return await ref
        except RayTaskError as error:
            if isinstance(error.cause, A2VError):
                raise error.cause from None  # the message alone, without the way it has come
            raise
        except TaskCancelledError:
            raise
        except RayError as error:
            after_death()
            if attempt == attempts:
                raise WorkerDied(
                    f"the process that did this died {attempts} times, out of memory or by a file that "
                    f"kills it ({type(error).__name__})"
                ) from error
        except asyncio.CancelledError:
            await _take_back(ref)
            raise
    raise AssertionError


async def _take_back(ref: Any) -> None:
    """Cancel a call that nobody waits for any more, and give it a moment to tidy up."""
    import ray
    from ray.exceptions import RayError

    with contextlib.suppress(RayError, ValueError, TypeError):
        ray.cancel(ref)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(ref, CANCEL_SECONDS)


class Actors:
    """Actors that are alike and do one call at a time each. One that dies is replaced, not restarted by Ray:
    a call to an actor that is being restarted fails at once, as if it had died of the call."""

    def __init__(self, make: Callable[[], Any], count: int) -> None:
        self._make = make
        self.all = [make() for _ in range(count)]
        self._idle: asyncio.Queue[int] = asyncio.Queue()
        for place in range(count):
            self._idle.put_nowait(place)

    async def call(self, send: Callable[[Any], Any]) -> Any:
        """What the next actor makes of a call that has nothing else to do; `send` gets it and returns the
        ObjectRef. See `survive`."""
        place = await self._idle.get()

        def replace() -> None:
            self.all[place] = self._make()

        try:
            return await survive(lambda: send(self.all[place]), after_death=replace)
        finally:
            self._idle.put_nowait(place)
