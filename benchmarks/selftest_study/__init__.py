"""What the scores of AV-Align tell on sets whose truth is known. See `__main__`."""
