"""--shard I/N: the part of a job that one of N machines does, when they share nothing but the list of ids."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from ..errors import A2VError


@dataclass(frozen=True)
class Share:
    """Part `index`, from 0, of `count` parts.

    An id belongs to one part by its hash alone: the same on every machine, whatever other ids there are.
    """

    index: int = 0
    count: int = 1

    def has(self, unit_id: str) -> bool:
        """Whether an id belongs to this part."""
        digest = hashlib.sha256(unit_id.encode(errors="surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


WHOLE = Share()


def parse_share(text: str) -> Share:
    """The share that `I/N` names. A2VError unless 0 <= I < N."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip())
    share = Share(int(found[1]), int(found[2])) if found else Share(0, 0)
    if not share.index < share.count:
        raise A2VError(
            f"--shard {text}: expected I/N with I from 0 to N - 1, say 0/4, 1/4, 2/4 and 3/4 on four machines"
        )
    return share
