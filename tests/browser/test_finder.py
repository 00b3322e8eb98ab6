"""Which browser is taken, and how `make test` gets one: with programs in a folder that is the whole PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.browser import (
    REMEDY,
    ROOT,
    BrowserError,
    ensure_browser,
    ensure_driver,
    find_browser,
    needs_browser,
    running_browser,
)

RUNS = "#!/bin/sh\necho Chromium 1.2.3\n"
BROKEN = "#!/bin/sh\necho 'no such snap' >&2\nexit 1\n"
OWN = "/nowhere/chrome"  # where Playwright's own would be


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CHROMIUM", raising=False)
    return folder


def program(path: Path, text: str = RUNS) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def apt_get(path: Path, refused: int) -> Path:
    """An apt-get that installs a Chromium after `refused` times in vain; the log of its calls."""
    log = path / "log"
    chromium = path / "chromium"
    program(
        path / "apt-get",
        f'#!/bin/sh\necho "$@" >> {log}\n[ "$1" = install ] || exit 0\n'
        f"[ $({shutil.which('grep', path='/usr/bin:/bin')} -c install {log}) -gt {refused} ] || exit 100\n"
        f"printf '#!/bin/sh\\necho Chromium 1.2.3\\n' > {chromium}\n"
        f"{shutil.which('chmod', path='/usr/bin:/bin')} +x {chromium}\n",
    )
    return log


def test_the_one_that_chromium_names_comes_first(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path / "chromium")
    named = program(tmp_path / "my browser")
    monkeypatch.setenv("CHROMIUM", named)
    assert find_browser(OWN) == named
    program(path / "brave")
    monkeypatch.setenv("CHROMIUM", "brave")
    assert find_browser(OWN) == str(path / "brave")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("missing", None, "CHROMIUM names .*missing, which is no program"),
        ("broken", BROKEN, "broken does not run: no such snap"),
        ("binary", "\0nothing that a system runs", "binary does not run: .*Exec format error"),
    ],
)
def test_a_wrong_chromium_is_named_and_no_other_is_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None, message: str
) -> None:
    program(path / "chromium")
    monkeypatch.setenv("CHROMIUM", str(path / name))
    if text is not None:
        program(path / name, text)
    with pytest.raises(BrowserError, match=message):
        find_browser(OWN)


def test_one_on_the_path_comes_before_playwrights_own(path: Path, tmp_path: Path) -> None:
    own = program(tmp_path / "own" / "chrome")
    assert find_browser(own) == own
    chrome = program(path / "google-chrome")
    assert find_browser(own) == chrome


def test_one_that_does_not_run_is_passed_over(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = program(path / "chromium-browser", BROKEN)
    assert find_browser(OWN) is None
    assert capsys.readouterr().out == f"[browser] {broken} does not run: no such snap\n"
    chrome = program(path / "chrome")
    assert find_browser(OWN) == chrome


def test_root_installs_debians(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = apt_get(path, refused=0)
    assert ensure_browser(OWN, root=True) == str(path / "chromium")
    (call,) = log.read_text().splitlines()
    assert call.startswith("install --yes ")
    assert "chromium" in call.split()
    said = capsys.readouterr().out
    assert f"[browser] apt-get {call}\n" in said
    assert ensure_browser(OWN, root=True) == str(path / "chromium")
    assert log.read_text().splitlines() == [call]


def test_lists_of_packages_that_are_missing_are_fetched_first(path: Path) -> None:
    log = apt_get(path, refused=1)
    assert ensure_browser(OWN, root=True) == str(path / "chromium")
    assert [line.split()[0] for line in log.read_text().splitlines()] == ["install", "update", "install"]


def test_an_apt_get_without_chromium_is_no_help(path: Path) -> None:
    log = apt_get(path, refused=9)
    with pytest.raises(BrowserError, match="none found"):
        ensure_browser(OWN, root=True)
    assert len(log.read_text().splitlines()) == 3


def test_what_playwrights_driver_lacks_is_installed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = apt_get(path, refused=0)  # this one brings a program, as that one brings a library
    driver = str(path / "chromium")
    with pytest.raises(BrowserError, match=r"does not run.*apt-get install libatomic1"):
        ensure_driver([driver], root=False)
    ensure_driver([driver], root=True)
    (call,) = log.read_text().splitlines()
    assert call.split()[-1] == "libatomic1"
    assert "does not run" in capsys.readouterr().out
    ensure_driver([driver], root=True)
    assert len(log.read_text().splitlines()) == 1


def test_only_root_installs(path: Path) -> None:
    log = apt_get(path, refused=0)
    with pytest.raises(BrowserError, match="none found"):
        ensure_browser(OWN, root=False)
    assert not log.exists()


@pytest.mark.usefixtures("path")
def test_without_one_nothing_opens_and_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(BrowserError) as error, running_browser():
        pass
    assert str(error.value) == f"no browser found. {REMEDY}"


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {"HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [sys.executable, "-m", "scripts.browser", *words],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_says_what_it_found(path: Path) -> None:
    chromium = program(path / "chromium")
    done = command("tests", PATH=str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"[browser] {chromium} (Chromium 1.2.3)\n"


def test_the_command_ends_with_the_remedy(path: Path, tmp_path: Path) -> None:
    done = command("tests", PATH=str(path), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"\nno browser: none found. {REMEDY}\n"
    done = command("tests/tokens", PATH=str(path), PLAYWRIGHT_BROWSERS_PATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("", True),
        ("tests", True),
        (".", True),
        ("tests/browser", True),
        ("tests/tokens tests/browser/", True),
        ("tests/browser/test_use.py::test_cancel_stops_a_run_and_the_next_one_works -x", True),
        ("-k golden", True),
        ("tests/tokens", False),
        ("tests/tokens tests/headless -k browser", False),
        ("tests/test_packaging.py", False),
    ],
)
def test_who_needs_one(words: str, needed: bool) -> None:
    assert needs_browser(words.split()) == needed
