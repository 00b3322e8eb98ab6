"""Published BEATs checkpoint to safetensors: `python -m a2v_core.audio.convert IN.pt OUT.safetensors`."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from ..checkpoints import SAFETENSORS, refuse_overwrite
from ..errors import A2VError
from .beats.files import convert_beats


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when the file was written, 1 with the reason on stderr when not."""
    parser = argparse.ArgumentParser(
        prog="python -m a2v_core.audio.convert",
        description="Convert a BEATs checkpoint (.pt) to safetensors with its cfg in the metadata.",
    )
    parser.add_argument("source", type=Path, metavar="IN.pt", help="BEATs checkpoint as published")
    parser.add_argument("target", type=Path, metavar="OUT.safetensors", help="file to write; must not exist")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    options = parser.parse_args(arguments)
    try:
        report = _convert(options.source, options.target)
    except A2VError as error:
        if options.json:
            print(json.dumps({"ok": False, "error": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"ok": True} | report))
    else:
        head = f"{report['classes']} classes" if report["classes"] else "no classifier"
        print(f"wrote {report['target']}: {report['layers']} layers of {report['width']}, {head}")
    return 0


def _convert(source: Path, target: Path) -> dict[str, object]:
    if target.suffix.lower() != SAFETENSORS:
        raise A2VError(f"{target}: the output must end in {SAFETENSORS}")
    if not target.absolute().parent.is_dir():
        raise A2VError(f"{target}: the folder does not exist; create it first")
    refuse_overwrite(target)
    config = convert_beats(source, target)
    return {
        "source": str(source),
        "target": str(target),
        "bytes": target.stat().st_size,
        "layers": config.encoder_layers,
        "width": config.encoder_embed_dim,
        "classes": config.predictor_class,
        "config": asdict(config),
    }


if __name__ == "__main__":
    sys.exit(main())
