"""The report as Markdown, to be read and to be pasted into docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

HIDDEN = ("ok", "seconds", "reason")
MANY = 2**20  # from here on whole numbers under names of memory are bytes worth shortening
MEMORY = ("bytes", "allocated", "reserved", "resident", "growth", "peak", "limit")


def as_markdown(report: Mapping[str, Any]) -> str:
    """All of it."""
    return "\n".join([*_head(report), *(line for part in report["parts"] for line in _part(part))]) + "\n"


def _head(report: Mapping[str, Any]) -> Iterator[str]:
    machine = report["machine"]
    packages = machine.get("packages", {})
    missing = [name for name, version in packages.items() if version is None]
    yield f"## On {machine.get('device', report['device'])}"
    yield ""
    if report["tiny"]:
        yield "**A test of the command on tiny models: the numbers say nothing.**"
        yield ""
    facts = [
        f"torch {machine.get('torch')}",
        f"CUDA {machine.get('cuda')}",
        f"driver {machine.get('driver')}",
    ]
    facts += [f"Python {machine.get('python')}", str(machine.get("processor"))]
    facts += [f"{name} {version}" for name, version in packages.items() if version is not None]
    yield ", ".join(facts) + f". All of it took {report['seconds']:.0f} s."
    if missing:
        yield ""
        yield f"Not installed: {', '.join(missing)}."
    yield ""
    yield "| part | ok | seconds | |"
    yield "|---|---|---|---|"
    for part in report["parts"]:
        reason = _cell(part.get("reason", "")[:400])
        yield f"| {part['name']} | {'yes' if part['ok'] else 'NO'} | {part['seconds']:.0f} | {reason} |"
    goals = [goal for part in report["parts"] for goal in part["goals"]]
    if goals:
        yield ""
        yield "| goal | found | met |"
        yield "|---|---|---|"
        yield from (
            f"| {_cell(goal['goal'])} | {number(goal['found'])} | {'yes' if goal['met'] else 'no'} |"
            for goal in goals
        )


def _part(part: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"### {part['about']}"
    for name, step in part["steps"].items():
        yield ""
        fault = "" if step["ok"] else f": **failed**, {_cell(step['reason'])}"
        yield f"**{name}** ({step['seconds']:.1f} s){fault}"
        yield ""
        yield from _table({key: value for key, value in step.items() if key not in HIDDEN})


def _table(numbers: Mapping[str, Any]) -> Iterator[str]:
    """Numbers of one kind for several things as a table of them, the others as a list."""
    rows = {key: value for key, value in numbers.items() if isinstance(value, Mapping)}
    plain = {key: value for key, value in numbers.items() if key not in rows}
    if plain:
        yield ", ".join(f"{key} {number(value, key)}" for key, value in plain.items())
    if not rows:
        return
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    if plain:
        yield ""
    yield f"| | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for key, row in rows.items():
        cells = (number(row[column], column) if column in row else "" for column in columns)
        yield f"| {_cell(key)} | {' | '.join(cells)} |"


def number(value: Any, name: str = "") -> str:
    """A number as people read it; bytes as MiB."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int) and abs(value) >= MANY and any(word in name for word in MEMORY):
        return f"{value / 2**20:,.0f} MiB"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return _cell(str(value))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "/").split())
