"""Developer tools, and `make demo`."""

from a2v_core.processors import share_processors

share_processors()  # here, since it has to come before any module's torch
