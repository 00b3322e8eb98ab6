"""Queue graphs on a real ComfyUI server and say what became of them."""

from __future__ import annotations

import asyncio
import copy
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from a2v_core.headless.server import ComfyServer

WORKFLOWS = Path(__file__).parent / "workflows"
SECONDS = 180.0
ALIKE = (
    1e-3  # mean difference of the frames of two runs, which need not round alike; of other settings > 1e-2
)
ENDS = ("execution_success", "execution_interrupted", "execution_error")

Graph = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """A run that has ended. `ran`: nodes that were executed, the rest came from the cache."""

    outputs: dict[str, dict[str, Any]]
    ran: set[str]
    error: dict[str, Any] | None
    interrupted: str | None

    @property
    def message(self) -> str:
        assert self.error is not None, "the run did not fail"
        return str(self.error["exception_message"])


@dataclass(frozen=True)
class Comfy:
    server: ComfyServer

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.server.url + path, timeout=60) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and parsed answer."""
        request = urllib.request.Request(self.server.url + path, json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def submit(self, graph: Graph, client: str = "test") -> str:
        status, answer = self.post("/prompt", {"prompt": graph, "client_id": client})
        assert status == 200, json.dumps(answer)[:2000]
        assert not answer["node_errors"], answer["node_errors"]
        return str(answer["prompt_id"])

    def refused(self, graph: Graph) -> str:
        """What the server finds wrong with the graph before it runs anything, one line a fault."""
        status, answer = self.post("/prompt", {"prompt": graph})
        assert answer["node_errors"], "the server found no fault"
        if status == 200:  # another output node is in order, and runs
            self.result(str(answer["prompt_id"]), graph)
        faults = [fault for node in answer["node_errors"].values() for fault in node["errors"]]
        return "\n".join(f"{fault['message']}: {fault['details']}" for fault in faults)

    def run(self, graph: Graph) -> Run:
        return self.result(self.submit(graph), graph)

    def good(self, graph: Graph) -> Run:
        run = self.run(graph)
        assert run.error is None, run.message + "".join(run.error["traceback"] if run.error else [])
        assert run.interrupted is None
        return run

    def result(self, prompt_id: str, graph: Graph) -> Run:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            entry = self.get(f"/history/{prompt_id}").get(prompt_id)
            if entry is not None:
                return _run(entry, graph)
            time.sleep(0.05)
        raise TimeoutError(f"the run did not end within {SECONDS} s\n{self.server.log_tail()}")

    def previews(self, graph: Graph) -> list[bytes]:
        """The pictures that the server sends while the graph runs."""
        return asyncio.run(self._previews(graph))

    def told(self, graph: Graph) -> list[str]:
        """The messages of the errors that the server tells the page of while the graph runs."""
        return asyncio.run(self._told(graph))

    def frames(self, graph: Graph) -> Tensor:
        """What the sampler of a good run draws, [frames, height, width, 3] in 0..1; not of a video file,
        which makes much of differences in the last digit."""
        save = {
            "class_type": "SaveImage",
            "inputs": {"images": [node_of(graph, "A2VT2VSampler"), 0], "filename_prefix": "frames"},
        }
        files = self.files(self.good({**graph, "frames": save}), "frames")
        return torch.stack([torch.from_numpy(np.array(Image.open(path))) for path in files]) / 255

    def file(self, run: Run, node: str) -> Path:
        """The file that a save node wrote."""
        (path,) = self.files(run, node)
        return path

    def files(self, run: Run, node: str) -> list[Path]:
        """The files that a save node wrote, one for every time that it ran."""
        saved = run.outputs[node]["images"]
        return [self.server.output / one["subfolder"] / one["filename"] for one in saved]

    def cancel_at(self, graph: Graph, node: str, step: int) -> tuple[Run, float]:
        """Start, press Cancel when `node` reports `step`; the run and the seconds from there to its end."""
        return asyncio.run(self._cancel_at(graph, node, step))

    async def _previews(self, graph: Graph) -> list[bytes]:
        client, pictures = "viewer", []
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.server.url}/ws?clientId={client}") as socket,
        ):
            await asyncio.to_thread(self.submit, graph, client)
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    pictures.append(message.data[8:])  # behind the kinds of event and of picture
                elif message.type is aiohttp.WSMsgType.TEXT and message.json()["type"] in ENDS:
                    break
        return pictures

    async def _told(self, graph: Graph) -> list[str]:
        client, messages = "listener", []
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.server.url}/ws?clientId={client}") as socket,
        ):
            await asyncio.to_thread(self.submit, graph, client)
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                event = message.json()
                if event["type"] == "execution_error":
                    messages.append(str(event["data"]["exception_message"]))
                elif event["type"] == "executing" and event["data"]["node"] is None:
                    break
        return messages

    async def _cancel_at(self, graph: Graph, node: str, step: int) -> tuple[Run, float]:
        client = "canceller"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.server.url}/ws?clientId={client}") as socket,
        ):
            prompt_id = await asyncio.to_thread(self.submit, graph, client)
            pressed = 0.0
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                event = message.json()
                data = event["data"]
                if (
                    event["type"] == "progress"
                    and data["node"] == node
                    and data["value"] >= step
                    and not pressed
                ):
                    pressed = time.monotonic()
                    async with session.post(f"{self.server.url}/interrupt", json={}) as answer:
                        assert answer.status == 200
                if event["type"] in ENDS:
                    break
            assert pressed, "the run ended before the step was reached"
            seconds = time.monotonic() - pressed
            return await asyncio.to_thread(self.result, prompt_id, graph), seconds


def _run(entry: dict[str, Any], graph: Graph) -> Run:
    messages = dict(entry["status"]["messages"])
    cached = set(messages.get("execution_cached", {}).get("nodes", []))
    error = messages.get("execution_error")
    interrupted = messages.get("execution_interrupted")
    return Run(
        outputs=entry["outputs"],
        ran=set(graph) - cached,
        error=error,
        interrupted=interrupted and interrupted["node_type"],
    )


def load_graph(name: str) -> Graph:
    graph: Graph = json.loads((WORKFLOWS / f"{name}.api.json").read_text())
    return graph


def node_of(graph: Graph, class_type: str) -> str:
    """The id of the only node of a type."""
    (found,) = [key for key, node in graph.items() if node["class_type"] == class_type]
    return found


def changed(graph: Graph, **nodes: dict[str, Any]) -> Graph:
    """A copy with other inputs: changed(graph, A2VT2VSampler={"seed": 1}); None takes an input away."""
    new = copy.deepcopy(graph)
    for class_type, inputs in nodes.items():
        current = new[node_of(new, class_type)]["inputs"]
        for name, value in inputs.items():
            if value is None:
                del current[name]
            else:
                current[name] = value
    return new
