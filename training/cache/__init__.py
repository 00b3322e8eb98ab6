"""Cache of latents and BEATs features."""

from .encode import Encoder, Sample
from .folder import check_facts, facts_of, open_cache, write_state
from .shards import Contents, Entry, read_contents, read_sample, write_shard
from .texts import Texts, write_texts
from .units import plan_of, units_of

__all__ = [
    "Contents",
    "Encoder",
    "Entry",
    "Sample",
    "Texts",
    "check_facts",
    "facts_of",
    "open_cache",
    "plan_of",
    "read_contents",
    "read_sample",
    "units_of",
    "write_shard",
    "write_state",
    "write_texts",
]
