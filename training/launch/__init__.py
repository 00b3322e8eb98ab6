"""Worked examples of a training on several machines."""
