"""A package that is not there is named, with the command that installs it."""

import re
import subprocess
import sys

import pytest

from a2v_core.errors import A2VError
from a2v_core.optional import PACKAGES, MissingDependency, require


def test_a_missing_package_is_named_with_this_pythons_pip() -> None:
    command = f'"{sys.executable}" -m pip install no_such_package'
    message = f"Scoring needs the package no_such_package .*{re.escape(command)}"
    with pytest.raises(MissingDependency, match=message):
        require("no_such_package", "Scoring")
    assert issubclass(MissingDependency, A2VError)
    assert PACKAGES == {"librosa": "librosa", "cv2": "opencv-python-headless"}


def test_what_is_there_comes_back() -> None:
    assert require("math", "Scoring").pi == pytest.approx(3.14159, abs=1e-5)


def test_importing_the_metrics_imports_neither() -> None:
    code = (
        "import sys, a2v_core.metrics; print(sorted({'librosa', 'cv2', 'scipy', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
