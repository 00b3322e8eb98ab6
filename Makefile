# Two commands from a bare clone: `make demo` and `make test`. Linux; Python 3.11 or newer; a package registry.
#
#   make demo [AUDIO=file]     sound -> video through a real ComfyUI, headless; the mp4 goes into out/
#             [MODEL=wan]      with the bundled Wan in ComfyUI's own loaders and sampler
#   make test [TESTS=path]     ruff, mypy, then pytest
#   make test-newest           some of the tests with the newest packages, on the newest Python of this machine
#   make setup | lint | format | clean
#
# COMFYUI_PATH=/path/to/ComfyUI uses your own ComfyUI instead of the pinned one; nothing is written into it.

SHELL := /bin/bash
PYTHON ?= python3
PY := .venv/bin/python
TESTS ?= tests
# Where the pack meets other people's libraries: media files, librosa, OpenCV, ComfyUI's own.
NEWEST_TESTS ?= tests/audio tests/media/test_bad_files.py tests/media/test_cases.py tests/media/test_load.py \
	tests/media/test_mp4.py tests/metrics tests/headless/workflow/test_convert.py \
	tests/headless/workflow/test_workflow_files.py tests/comfyui/test_demo.py
export COMFYUI_PATH NEWEST_PYTHON

.PHONY: demo test test-newest browser scale setup lint format clean

demo: setup
	@$(PY) -m scripts.demo $(if $(AUDIO),--audio "$(AUDIO)") $(if $(MODEL),--model "$(MODEL)")

# As many files of tests at once as there are processors, up to four, each on one.
test: setup scale browser lint
	OMP_NUM_THREADS=1 $(PY) -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(TESTS)

test-newest:
	@$(PYTHON) -m scripts.newest
	.venv-newest/bin/python -m pytest $(NEWEST_TESTS)

# tests/browser opens pages: finds a browser or gets one, where TESTS names that folder, one above or something in it.
browser: setup
	@$(PY) -m scripts.browser $(TESTS)

# What the tests of Ray and of object stores need beside the set-up.
scale: setup
	@$(PY) -m scripts.scale

setup:
	@$(PYTHON) -m scripts.setup

# The second mypy run sees the pack as ComfyUI does, as one package, because nodes/ reaches a2v_core relatively.
lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .
	@mkdir -p .cache/mypy && ln -sfn ../.. .cache/mypy/a2v
	cd .cache/mypy && ../../$(PY) -m mypy --config-file ../../pyproject.toml a2v/nodes a2v/__init__.py

format: setup
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean:
	rm -rf .venv .venv-newest .comfyui .cache .mypy_cache .ruff_cache .pytest_cache
