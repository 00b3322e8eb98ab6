"""A part whose first step fails, whose second lacks a package, and whose third goes well."""

import importlib

from benchmarks.gpu.job import Job, Step, Wrong
from benchmarks.gpu.record import Note


def wrong(job: Job, note: Note) -> None:
    note(found=1)
    raise Wrong("one is not two")


def missing(job: Job, note: Note) -> None:
    importlib.import_module("no_such_package")


def good(job: Job, note: Note) -> None:
    note(found=2)


STEPS = (Step("wrong", wrong), Step("missing", missing), Step("good", good))
