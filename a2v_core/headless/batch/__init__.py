"""Batches: a workflow once for every sound, table row and seed, on one or several servers, resumable.

`plan` says what runs there are, `unit` is one of them as a function, `driver` brings them to the servers,
`rows` is what is known of each, `best` picks among takes, `results` is what the user gets.
"""

from .command import add_parser
from .results import Results, as_json
from .run import WAIT_SECONDS, BatchSettings, Keep, run_batch

__all__ = [
    "WAIT_SECONDS",
    "BatchSettings",
    "Keep",
    "Results",
    "add_parser",
    "as_json",
    "run_batch",
]
