"""What an audio adapter costs on ComfyUI's own MODEL: `python -m benchmarks.adapter`."""
