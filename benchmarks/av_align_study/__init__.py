"""How AV-Align behaves: clips whose truth is known, changed one thing at a time. See `__main__`."""
