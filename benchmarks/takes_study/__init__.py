"""What picking the best of several takes gains in what is true. See `__main__`."""
