"""Everything that the pack claims of a GPU, measured by one command: `python -m benchmarks.gpu`."""
