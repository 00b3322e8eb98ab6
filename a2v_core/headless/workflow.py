"""Read a workflow file and tell its format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import WorkflowError

Json = dict[str, Any]


def load_workflow(path: Path) -> Json:
    """The parsed file: what the front end saved, or the bare API prompt. Raises WorkflowError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise WorkflowError(f"workflow file {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowError(f"workflow file {path} cannot be read: {error}") from error
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


def is_saved(data: object) -> bool:
    """Whether this is what the front end saves."""
    return isinstance(data, dict) and isinstance(data.get("nodes"), list)


def is_api(data: object) -> bool:
    """Whether this is what the front end exports for the API."""
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
