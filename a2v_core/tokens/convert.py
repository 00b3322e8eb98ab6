"""Convert AudioMapper files: `python -m a2v_core.tokens.convert learned_embeds.pth OUT.safetensors`.

The other way round (`OUT.pth`) it exports a mapper of the published layout for the published code. An
existing file is never overwritten, and a conversion that fails leaves nothing behind.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..checkpoints import SAFETENSORS, refuse_overwrite
from ..errors import A2VError
from .files import export_learned_embeds, load_mapper, save_mapper


def convert(source: str | Path, target: str | Path, base_model: str = "") -> dict[str, Any]:
    """Convert `source` to `target`, by the ending of `target`; returns what was written, ready for JSON.

    Raises A2VError when `target` exists or has another ending, CheckpointError when `source` is no
    AudioMapper.
    """
    target = Path(target)
    refuse_overwrite(target)
    writers = {SAFETENSORS: save_mapper, ".pth": export_learned_embeds}
    if target.suffix not in writers:
        raise A2VError(f"{target}: the output has to end in .safetensors, or .pth for the published code")
    mapper = load_mapper(source)
    if base_model:
        mapper.config = replace(mapper.config, base_model=base_model)
    writers[target.suffix](target, mapper)
    return {
        "output": str(target),
        "parameters": sum(value.numel() for value in mapper.state_dict().values()),
        "config": json.loads(mapper.config.to_json()),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status, 1 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m a2v_core.tokens.convert", description=__doc__)
    parser.add_argument("source", help="learned_embeds.pth or a safetensors mapper")
    parser.add_argument("target", help="new file: .safetensors, or .pth for the published code")
    parser.add_argument("--base-model", default="", help="text-to-video model it was trained for")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    try:
        done = convert(options.source, options.target, options.base_model)
    except A2VError as error:
        if options.json:
            print(json.dumps({"error": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(done))
    else:
        kind = f"AudioMapper, {done['config']['layout']} layout"
        print(f"{done['output']}: {kind}, {done['parameters']:,} parameters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
