"""What carries the alignment: the paper's tables again, on a world whose events are known.

`python -m training.ablate` trains many adapters on one frozen text-to-video model, all by the same recipe,
and compares the videos that they make from held-out sounds.
"""
