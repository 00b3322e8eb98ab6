"""Record what a front end saves and exports for the cases in tests/headless/data.

    python -m tests.headless.recording FOLDER [--front-end-root DIR] [CASE ...]

FOLDER, tests/headless/data or one in it, gets NAME.ui.json and NAME.api.json for every NAME.js of that; its
object_info.json gets the definitions of all nodes that were exported. DIR: `comfyui_frontend_package/static`
of another front end than the pinned one. The nodes that the cases use beside core's are those of the pack
beside this file. Needs a Chromium.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from a2v_core.headless.server import find_comfyui, running_server

DATA = Path(__file__).parents[1] / "data"
PACK = Path(__file__).parent / "pack"


def main() -> int:
    """Record all cases, or those that are named."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.headless.recording", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*", help="default: all")
    parser.add_argument("--front-end-root", type=Path)
    options = parser.parse_intermixed_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        nodes = Path(folder) / "custom_nodes"
        nodes.mkdir()
        (nodes / "front_end_nodes").symlink_to(PACK, target_is_directory=True)
        config = Path(folder) / "paths.yaml"
        config.write_text(json.dumps({"recording": {"custom_nodes": str(nodes)}}), encoding="utf-8")
        arguments = ["--extra-model-paths-config", str(config)]
        if options.front_end_root:
            arguments += ["--front-end-root", str(options.front_end_root.resolve())]
        with running_server(find_comfyui(), own_models=True, cpu=True, arguments=arguments) as server:
            for case in options.cases or sorted(path.stem for path in DATA.glob("*.js")):
                record(server.url, case, options.folder)
            _write(DATA / "object_info.json", definitions(server.url))
    return 0


def record(url: str, case: str, folder: Path) -> None:
    """One case; the file of a case that no script builds (NAME.ui.json alone) is only exported."""
    saved, exported = folder / f"{case}.ui.json", folder / f"{case}.api.json"
    script = DATA / f"{case}.js"
    source = ["--build", script, "--save", saved] if script.exists() else [DATA / f"{case}.ui.json"]
    command = [sys.executable, "-m", "scripts.frontend", "--server", url, *source, "--api", exported]
    subprocess.run([str(part) for part in command], check=True, timeout=300)


def definitions(url: str) -> dict[str, Any]:
    """What the server says of the nodes that the recorded exports hold."""
    with urllib.request.urlopen(f"{url}/object_info", timeout=60) as answer:
        info = json.load(answer)
    prompts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.rglob("*.api.json"))]
    used = {node["class_type"] for prompt in prompts for node in prompt.values()}
    return {name: info[name] for name in sorted(used)}


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
