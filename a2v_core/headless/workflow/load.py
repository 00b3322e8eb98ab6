"""Reads a workflow file and detects its format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...errors import A2VError, WorkflowError
from ...texts import read_text
from .embedded import Graphs, graphs_in_file, graphs_in_svg

Json = dict[str, Any]

_HEAD_BYTES = 256


def load_workflow(path: Path) -> Json:
    """The saved workflow, or the prompt in API format, from JSON or from an image, video or sound that
    ComfyUI made. Raises WorkflowError."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD_BYTES)
        if _is_binary(head):
            return _pick_graph(graphs_in_file(path), path)
        text = read_text(path)
    except FileNotFoundError:
        raise WorkflowError(f"workflow file {path} does not exist") from None
    except OSError as error:
        raise WorkflowError(f"workflow file {path} cannot be read: {error.strerror or error}") from error
    except WorkflowError:
        raise
    except A2VError as error:
        raise WorkflowError(f"workflow file cannot be read: {error}") from error
    if text.lstrip().startswith("<"):
        return _pick_graph(graphs_in_svg(text), path)
    return _from_json(text, path)


def _from_json(text: str, path: Path) -> Json:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise WorkflowError(
            f"workflow file {path} is not JSON: {error}. Save it again from ComfyUI."
        ) from error
    if isinstance(data, dict) and is_api(data.get("prompt")):
        data = data["prompt"]
    if not isinstance(data, dict) or not (is_api(data) or is_saved(data)):
        raise WorkflowError(
            f"{path} is JSON, but no ComfyUI workflow: expected the file of 'Save' (lists of nodes and "
            "links) or of 'Export (API)' (nodes with class_type and inputs)"
        )
    return data


def _is_binary(head: bytes) -> bool:
    """Whether these first bytes are those of a binary file. JSON in UTF-16 has zero bytes as well."""
    if head.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in (b"{", b"["):
        return False
    return any(byte < 32 and byte not in b"\t\n\r\f" for byte in head)


def _pick_graph(graphs: Graphs, path: Path) -> Json:
    """The saved workflow if there is one, else the prompt, as the front end does."""
    workflow, prompt = graphs.get("workflow"), graphs.get("prompt")
    if isinstance(workflow, dict) and is_saved(workflow):
        return (
            _with_widget_names(workflow, prompt) if isinstance(prompt, dict) and is_api(prompt) else workflow
        )
    if isinstance(prompt, dict) and is_api(prompt):
        return prompt
    raise WorkflowError(
        f"{path} holds no workflow: ComfyUI writes one into what its Save nodes make, unless it runs with "
        "--disable-metadata, and programs that convert a file often drop it. Give the workflow as JSON."
    )


def _with_widget_names(workflow: Json, prompt: Json) -> Json:
    """Takes widget names from the prompt: older front ends saved the values as a bare list."""
    for node in workflow["nodes"]:
        api_node = prompt.get(str(node.get("id"))) if isinstance(node, dict) else None
        if api_node and api_node["class_type"] == node.get("type"):
            values = {
                name: value for name, value in api_node["inputs"].items() if not isinstance(value, list)
            }
            node.setdefault("widgets_values_named", {name: _unwrapped(v) for name, v in values.items()})
    return workflow


def _unwrapped(value: Any) -> Any:
    """A value without the wrapper that keeps lists from reading as links."""
    return value["__value__"] if isinstance(value, dict) and "__value__" in value else value


def is_saved(data: object) -> bool:
    """Whether this is a saved workflow (UI format)."""
    return isinstance(data, dict) and isinstance(data.get("nodes"), list)


def is_api(data: object) -> bool:
    """Whether this is a prompt in API format."""
    return (
        isinstance(data, dict)
        and bool(data)
        and all(
            isinstance(node, dict)
            and isinstance(node.get("class_type"), str)
            and isinstance(node.get("inputs"), dict)
            for node in data.values()
        )
    )
