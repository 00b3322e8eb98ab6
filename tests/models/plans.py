"""What tests of downloads ask of a plan and of a folder."""

from __future__ import annotations

from pathlib import Path

from a2v_core.models import Plan, make_plan, model_named


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def planned(name: str, folder: Path) -> Plan:
    return make_plan(model_named(name), folder)
