"""Client of the ComfyUI server's HTTP and WebSocket API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from ...errors import WorkflowError
from .errors import LostRun, ServerUnreachable
from .forms import file_form

HISTORY_SECONDS = 30.0
POLL_SECONDS = 0.5
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 300.0
HEARTBEAT_SECONDS = 60.0
"""A machine that is switched off closes no connection: what stays silent for longer is away."""
AWAY = (502, 503, 504)
"""What a proxy answers whose server is away."""


class ComfyClient:
    """One session with one server. Use `connect`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        self.client_id = uuid.uuid4().hex

    async def object_info(self) -> dict[str, dict[str, Any]]:
        """The definitions of all node types the server knows."""
        info: dict[str, dict[str, Any]] = await self._get("/object_info")
        return info

    async def upload(self, path: Path) -> str:
        """Upload a file to the server's input folder; returns its name there. Other content under the same
        name gets a number, nothing is overwritten."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise WorkflowError(f"{path} cannot be read: {error.strerror}") from error
        async with self.session.post(
            f"{self.url}/upload/image", data=file_form(path.name, content)
        ) as response:
            self._check_there(response)
            if response.status == 413:
                raise WorkflowError(
                    f"{path} is larger than the server takes: start it with --max-upload-size"
                )
            if response.status != 200:
                raise WorkflowError(
                    f"the server refused the upload of {path}: {response.status} {await response.text()}"
                )
            stored = await response.json()
        return f"{stored['subfolder']}/{stored['name']}" if stored.get("subfolder") else str(stored["name"])

    async def submit(
        self, prompt: dict[str, Any], prompt_id: str, workflow: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Queue the prompt. Returns the response, with `error` and `node_errors` if validation failed."""
        body: dict[str, Any] = {"prompt": prompt, "client_id": self.client_id, "prompt_id": prompt_id}
        if workflow is not None:
            body["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
        async with self.session.post(f"{self.url}/prompt", json=body) as response:
            self._check_there(response)
            if response.status not in (200, 400):
                raise WorkflowError(f"the server answered {response.status}: {(await response.text())[:500]}")
            result: dict[str, Any] = await response.json(content_type=None)
            return result

    @contextlib.asynccontextmanager
    async def messages(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """The websocket with the server's messages; open it before submitting, so that none is missed."""
        url = f"{self.url}/ws?clientId={self.client_id}"
        async with self.session.ws_connect(url, max_msg_size=0, heartbeat=HEARTBEAT_SECONDS) as socket:
            yield socket

    async def history(self, prompt_id: str) -> dict[str, Any] | None:
        """The history entry of a finished prompt: `outputs`, `status`. None while it is not finished."""
        entry = (await self._get(f"/history/{prompt_id}")).get(prompt_id)
        return entry if isinstance(entry, dict) else None

    async def wait_for_history(self, prompt_id: str) -> dict[str, Any]:
        """The history entry of a prompt that has just ended; polls until it is written."""
        for _ in range(int(HISTORY_SECONDS / POLL_SECONDS)):
            entry = await self.history(prompt_id)
            if entry is not None:
                return entry
            await asyncio.sleep(POLL_SECONDS)
        raise LostRun(f"the server at {self.url} has forgotten the run {prompt_id}: was it restarted?")

    async def queue_state(self, prompt_id: str) -> str | None:
        """ "running", "pending", or None when the prompt is not in the queue."""
        queue = await self._get("/queue")
        for state in ("running", "pending"):
            if any(item[1] == prompt_id for item in queue.get(f"queue_{state}", [])):
                return state
        return None

    async def cancel(self, prompt_id: str) -> None:
        """Delete our prompt from the queue, or interrupt it if it runs; never another client's. Returns when
        it has left the queue, at the latest after half a minute."""
        for _ in range(int(HISTORY_SECONDS / POLL_SECONDS)):
            state = await self.queue_state(prompt_id)
            if state is None:
                return
            if state == "pending":
                await self._post("/queue", {"delete": [prompt_id]})
            else:
                await self._post("/interrupt", {"prompt_id": prompt_id})
            await asyncio.sleep(POLL_SECONDS)

    def view_url(self, reference: dict[str, Any]) -> str:
        """URL of an output file."""
        query = {key: str(reference.get(key) or "") for key in ("filename", "subfolder", "type")}
        return f"{self.url}/view?{urlencode(query, errors='surrogatepass')}"

    async def download(self, reference: dict[str, Any], target: Path) -> None:
        """Download an output file to `target`."""
        async with self.session.get(URL(self.view_url(reference), encoded=True)) as response:
            if response.status != 200:
                raise WorkflowError(f"the server does not give it out: status {response.status}")
            with open(target, "wb") as stream:
                async for chunk in response.content.iter_chunked(1 << 20):
                    stream.write(chunk)

    async def _get(self, path: str) -> Any:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS)
        async with self.session.get(self.url + path, timeout=timeout) as response:
            self._check_there(response)
            if response.status != 200:
                raise WorkflowError(f"{self.url}{path} answered {response.status}: is this a ComfyUI server?")
            try:
                return await response.json(content_type=None)
            except json.JSONDecodeError as error:
                raise WorkflowError(f"{self.url}{path} is not JSON: is this a ComfyUI server?") from error

    def _check_there(self, response: aiohttp.ClientResponse) -> None:
        if response.status in AWAY:
            raise ServerUnreachable(f"the server at {self.url} is away: its proxy answered {response.status}")

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        async with self.session.post(self.url + path, json=body) as response:
            await response.read()


@contextlib.asynccontextmanager
async def connect(url: str) -> AsyncIterator[ComfyClient]:
    """A client for the server at `url`. Raises ServerUnreachable when nothing answers there, at first or
    later."""
    url = normal_url(url)
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            yield ComfyClient(url, session)
    except (TimeoutError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        raise ServerUnreachable(
            f"the ComfyUI server at {url} is not reachable ({str(error) or 'timed out'}). "
            "Is it running, and is that its address? Without --server, one is started for the run."
        ) from error
    except aiohttp.ClientError as error:
        raise WorkflowError(
            f"cannot talk to the server at {url} ({type(error).__name__}: {error}): expected a ComfyUI, "
            "say at http://127.0.0.1:8188"
        ) from error


def normal_url(url: str) -> str:
    """The URL with a scheme and without a trailing slash."""
    url = url.strip().rstrip("/")
    return url if "://" in url else f"http://{url}"
