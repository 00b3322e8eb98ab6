"""The config reference of docs/training.md, from the schema itself: `python -m training.config.reference`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from .schema import Config
from .section import Section


def reference() -> str:
    """Markdown: a table per section with every key, its default and what it does."""
    parts = [_table("", Config)]
    for name, field in Config.model_fields.items():
        if inspect.isclass(field.annotation) and issubclass(field.annotation, Section):
            parts.append(_table(name, field.annotation))
    return "\n".join(parts)


def _table(name: str, section: type[Section]) -> str:
    title, meanings = section_docs(section)
    rows = [
        f"| `{key}` | {_default(field)} | {meanings[key]} |"
        for key, field in section.model_fields.items()
        if key in meanings
    ]
    heading = f"### `{name}`\n\n{title}\n" if name else "### Top level\n"
    return "\n".join([heading, "| key | default | meaning |", "|---|---|---|", *rows, ""])


def section_docs(section: type[Section]) -> tuple[str, dict[str, str]]:
    """First line of a section's docstring, and the meaning of every key."""
    title, *lines = inspect.cleandoc(section.__doc__ or "").splitlines()
    return title, dict(_entries(lines))


def _entries(lines: list[str]) -> Iterator[tuple[str, str]]:
    keys: list[str] = []
    text = ""
    for line in [*lines, "end  "]:
        if match := re.match(r"(\w+(?:, \w+)*)  +(.*)", line):
            yield from ((key, text.replace("|", "\\|")) for key in keys)
            keys, text = match[1].split(", "), match[2]
        elif line.startswith("  "):
            text += " " + line.strip()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None:
        return "empty"
    value = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"`{value}`"


if __name__ == "__main__":
    print(reference())
