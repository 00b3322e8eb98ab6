"""Sizes and download plans as text."""

from __future__ import annotations

import math

from .plan import Plan


def describe_plan(plan: Plan) -> str:
    """Origin, size, licence, checksum, destination and free space, to decide by."""
    model = plan.model
    if plan.done:
        return f"{model.name}: is there already, {plan.target}"
    sums = [file.sha256 for file in plan.files if file.sha256]
    if len(plan.files) == 1:
        checksum = f"SHA-256 {sums[0]}" if sums else "unknown"
    else:
        others = sum(1 for file in plan.files if not file.sha256 and file.git_sha1)
        checksum = f"SHA-256 of {len(sums)} and git ids of {others} of {len(plan.files)} files, from the hub"
    rows = {
        "from": plan.origin,
        "size": format_size(plan.size)
        + (f", {format_size(plan.received)} of it are there" if plan.received else ""),
        "licence": plan.licence,
        "checksum": checksum,
        "to": f"{plan.target} (for {model.place.node})",
        "free": format_size(plan.free),
    }
    return "\n".join(
        [f"{model.name}: {model.title}", *(f"  {name:9} {value}" for name, value in rows.items())]
    )


def format_size(size: int | None) -> str:
    """A byte count in decimal units (kB, MB, ...)."""
    if size is None:
        return "unknown size"
    power = min(int(math.log(max(size, 1), 1000)), 4)
    unit = ("bytes", "kB", "MB", "GB", "TB")[power]
    return f"{size} {unit}" if power == 0 else f"{size / 1000**power:.3g} {unit}"
