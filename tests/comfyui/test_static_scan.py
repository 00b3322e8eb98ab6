"""ComfyUI Manager finds nodes by reading the sources, not by running them: its rules, as a test."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.comfyui.snapshot import SNAPSHOT

NODES = Path(__file__).resolve().parents[2] / "nodes"
SOURCES = sorted(NODES.glob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="ascii"))


def node_classes() -> Iterator[tuple[Path, ast.ClassDef, ast.FunctionDef]]:
    """Classes whose direct base is called ComfyNode, with a plain define_schema of their own."""
    for path in SOURCES:
        for item in ast.walk(parsed(path)):
            if not isinstance(item, ast.ClassDef):
                continue
            bases = {
                base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
                for base in item.bases
            }
            for method in item.body:
                if (
                    "ComfyNode" in bases
                    and isinstance(method, ast.FunctionDef)
                    and method.name == "define_schema"
                ):
                    yield path, item, method


def literal_id(schema: ast.FunctionDef) -> str | None:
    for call in ast.walk(schema):
        if (
            isinstance(call, ast.Call)
            and getattr(call.func, "attr", getattr(call.func, "id", "")) == "Schema"
        ):
            for keyword in call.keywords:
                if keyword.arg == "node_id" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
    return None


def test_the_managers_scan_finds_every_node() -> None:
    found = {item.name: literal_id(schema) for _, item, schema in node_classes()}
    assert found == {name: name for name in json.loads(SNAPSHOT.read_text())}


def test_one_file_a_node() -> None:
    files = [path for path, _, _ in node_classes()]
    assert len(files) == len(set(files)) == len(json.loads(SNAPSHOT.read_text()))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_out_of_memory_and_cancel_pass_through(path: Path) -> None:
    """No handler that would swallow what ComfyUI has to see: torch's OutOfMemoryError is a RuntimeError."""
    for handler in ast.walk(parsed(path)):
        if isinstance(handler, ast.ExceptHandler):
            assert handler.type is not None, f"{path.name}:{handler.lineno} catches everything"
            caught = {name.id for name in ast.walk(handler.type) if isinstance(name, ast.Name)}
            assert not caught & {"BaseException", "Exception", "RuntimeError"}, (
                f"{path.name}:{handler.lineno}"
            )
