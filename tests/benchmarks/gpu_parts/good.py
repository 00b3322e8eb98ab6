"""A part of two steps that go well."""

from benchmarks.gpu.job import Job, Step
from benchmarks.gpu.record import Note


def count(job: Job, note: Note) -> None:
    note(answer=42, seconds_left_above_zero=job.left > 0)
    note.goal("forty", 42, at_least=40)
    note.goal("fifty", 42, at_least=50)


STEPS = (Step("one", count), Step("two", count))
