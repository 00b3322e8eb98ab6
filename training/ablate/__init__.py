"""Ablation study: the paper's tables 2 and 3 on the demo world, where the time of every event is known.

`python -m training.ablate` trains many adapters on one frozen text-to-video model, all by the same recipe,
and compares the videos that they make from held-out sounds.
"""
