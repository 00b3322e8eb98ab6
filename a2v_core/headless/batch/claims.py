"""Which server a run was queued on, and as which prompt: written down before it is, so that whoever goes on
after a killed process waits for that prompt instead of queueing it again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ...texts import write_text


@dataclass(frozen=True)
class Claim:
    """A queued run: its fingerprint, the URL of the server, the id of the prompt there."""

    fingerprint: str
    server: str
    prompt_id: str


class Claims:
    """The claims of a batch, one file each in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        found = {path.stem: _read(path) for path in folder.glob("*.json")}
        self._claims = {unit_id: claim for unit_id, claim in found.items() if claim is not None}

    def get(self, unit_id: str) -> Claim | None:
        """The claim of a run, if there is one."""
        return self._claims.get(unit_id)

    def put(self, unit_id: str, claim: Claim) -> None:
        """Write a claim in the place of an earlier one."""
        write_text(self.path(unit_id), json.dumps(asdict(claim)))
        self._claims[unit_id] = claim

    def remove(self, unit_id: str) -> None:
        """Forget the claim of a run that has its row."""
        self._claims.pop(unit_id, None)
        self.path(unit_id).unlink(missing_ok=True)

    def refresh(self, unit_id: str) -> None:
        """Read a claim again, which another process may have written or removed."""
        claim = _read(self.path(unit_id))
        if claim is None:
            self._claims.pop(unit_id, None)
        else:
            self._claims[unit_id] = claim

    def path(self, unit_id: str) -> Path:
        """The file of a claim."""
        return self.folder / f"{unit_id}.json"


def _read(path: Path) -> Claim | None:
    """A claim that cannot be read is none: the run is queued again."""
    try:
        return Claim(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
