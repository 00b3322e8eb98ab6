"""`--set NODE.INPUT=VALUE` on a prompt in API format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...errors import WorkflowError
from .convert import ApiPrompt
from .values import ObjectInfo
from .widgets import Spec, choices, dynamic_specs, input_specs, is_widget, type_of

TRUE, FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def apply_overrides(
    prompt: ApiPrompt, object_info: ObjectInfo, assignments: Sequence[str]
) -> set[tuple[str, str]]:
    """Change inputs of `prompt` in place; returns the (node id, input) pairs that were set.

    NODE is an id, a title, or a node type or display name that occurs once; the value is read by the
    input's type. Raises WorkflowError for an unknown node or input, an ambiguous name, an input that is a
    socket only, and a value of the wrong kind.
    """
    changed = set()
    for assignment in assignments:
        key, sign, text = assignment.partition("=")
        if not sign or "." not in key:
            raise WorkflowError(f"--set {assignment!r}: expected NODE.INPUT=VALUE, say 3.seed=7")
        node_id, name = _target(prompt, object_info, assignment, key.strip())
        specs = specs_of(prompt, object_info, node_id)
        prompt[node_id]["inputs"][name] = _value(assignment, name, specs[name], text)
        changed.add((node_id, name))
    return changed


def specs_of(prompt: ApiPrompt, object_info: ObjectInfo, node_id: str) -> dict[str, Spec]:
    """The inputs of this node on the server, given its current values, and those that a script of its pack
    added in the front end."""
    node = prompt[node_id]
    specs = dynamic_specs(input_specs(object_info.get(node["class_type"], {})), node["inputs"])
    return specs | {name: ["*", {"socketless": True}] for name in node["inputs"] if name not in specs}


def title(prompt: ApiPrompt, node_id: str) -> str:
    """The node's title, its type where it has none."""
    node = prompt[node_id]
    return str((node.get("_meta") or {}).get("title") or node["class_type"])


def titles_of(prompt: ApiPrompt) -> dict[str, str]:
    """Node id -> title, its type where it has none."""
    return {node_id: title(prompt, node_id) for node_id in prompt}


def describe(prompt: ApiPrompt, node_id: str) -> str:
    """The node for a message: title, type, id."""
    return f"{title(prompt, node_id)!r} ({prompt[node_id]['class_type']}, node {node_id})"


def find_nodes(prompt: ApiPrompt, object_info: ObjectInfo, name: str) -> list[str]:
    """Ids of the nodes that `name` means: by id, else by title, else by type or display name."""
    if name in prompt:
        return [name]
    titled = [number for number in prompt if title(prompt, number).casefold() == name.casefold()]
    if titled:
        return titled

    def kinds(node: dict[str, Any]) -> set[str]:
        definition = object_info.get(node["class_type"], {})
        return {node["class_type"].casefold(), str(definition.get("display_name", "")).casefold()}

    return [number for number, node in prompt.items() if name.casefold() in kinds(node)]


def _target(prompt: ApiPrompt, object_info: ObjectInfo, assignment: str, key: str) -> tuple[str, str]:
    """Node id and input name of a key. Titles and input names may contain dots, so every split is tried."""
    splits = [(key[:at], key[at + 1 :]) for at, char in enumerate(key) if char == "."]
    found = [(find_nodes(prompt, object_info, node), name) for node, name in splits]
    found = [(ids, name) for ids, name in found if ids]
    if not found:
        nodes = "\n".join(f"  {describe(prompt, number)}" for number in prompt)
        raise WorkflowError(f"--set {assignment!r}: no node {splits[-1][0]!r}. This workflow runs:\n{nodes}")
    for ids, name in found:
        if any(name in specs_of(prompt, object_info, number) for number in ids):
            if len(ids) > 1:
                raise WorkflowError(
                    f"--set {assignment!r} fits several nodes, name one by its id: "
                    + ", ".join(describe(prompt, number) for number in ids)
                )
            return ids[0], name
    ids, name = found[-1]
    known = ", ".join(specs_of(prompt, object_info, ids[0])) or "none"
    raise WorkflowError(
        f"--set {assignment!r}: node {describe(prompt, ids[0])} has no input {name!r}; its inputs: {known}"
    )


def _value(assignment: str, name: str, spec: Spec, text: str) -> Any:
    kind = type_of(spec)
    try:
        if kind == "INT":
            return int(text)
        if kind == "FLOAT":
            return float(text)
    except ValueError:
        raise WorkflowError(f"--set {assignment!r}: {name} takes {kind}, not {text!r}") from None
    if kind == "BOOLEAN":
        if text.lower() not in TRUE | FALSE:
            raise WorkflowError(f"--set {assignment!r}: {name} takes true or false, not {text!r}")
        return text.lower() in TRUE
    offered = choices(spec)
    if offered is not None:
        return next((choice for choice in offered if str(choice) == text), text)
    if not is_widget(spec):
        raise WorkflowError(
            f"--set {assignment!r}: {name} is a socket of type {kind}, it takes a link, no value"
        )
    return text if kind in ("STRING", "MARKDOWN", "TEXTAREA") else _json_or_text(text)


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
