"""The browser of tests/browser and of the tools for the front end: found, got where there is none, opened.

    python -m scripts.browser [TESTS]     what `make test` does before its first test

It is the Chromium that CHROMIUM names, else one on the PATH, else Playwright's own, else Debian's, which root
installs where there is apt-get. It reaches one host only, so that a page behaves the same with and without a
network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without its recommended fonts Chromium has none on a bare system.
CHROMIUM = ("chromium", "fonts-liberation")
# Playwright drives the browser through a Node.js of its own, which a bare system may lack a library for.
DRIVER = (sys.executable, "-m", "playwright")
DRIVER_NEEDS = ("libatomic1",)
INSTALL = ("install", "--yes", "--quiet=2", "--no-install-recommends")
WAIT_MS = 120_000.0
VERSION_SECONDS = 60.0
REMEDY = (
    "Install the package chromium (Debian: apt-get install chromium fonts-liberation), or let Playwright get "
    "its own (.venv/bin/python -m playwright install --with-deps chromium), or set CHROMIUM to the path of a "
    "Chromium or Chrome. Only tests/browser needs one: `make test TESTS=tests/tokens`, say, runs without."
)


DRIVER_REMEDY = (
    "Install the library that it names (Debian: apt-get install libatomic1). Only tests/browser needs it."
)


class BrowserError(RuntimeError):
    """There is no browser that runs."""


@contextlib.contextmanager
def running_browser(host: str = "127.0.0.1") -> Iterator[Browser]:
    """A headless Chromium that reaches `host` and this machine only, closed at the end. Raises BrowserError.

    Playwright keeps an event loop in this thread meanwhile: nothing else can call `asyncio.run` in it.
    """
    with sync_playwright() as playwright:
        program = find_browser(playwright.chromium.executable_path)
        if program is None:
            raise BrowserError(f"no browser found. {REMEDY}")
        rules = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE {host}"
        with playwright.chromium.launch(executable_path=program, args=["--disable-gpu", rules]) as browser:
            yield browser


def new_page(browser: Browser, width: int = 1600, height: int = 850) -> Page:
    """A page of a new profile, `width` x `height` pixels, that waits patiently and answers yes to dialogs."""
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.set_default_timeout(WAIT_MS)
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def get_browser(own: str, root: bool) -> str:
    """The browser there is, else Debian's, installed. `own`: where Playwright keeps its; `root`: may install.

    Raises BrowserError.
    """
    found = find_browser(own)
    if found is None and root and shutil.which("apt-get"):
        _say("there is none; installing Debian's Chromium, which can take some minutes")
        _install(*CHROMIUM)
        found = find_browser(own)
    if found is None:
        raise BrowserError(f"no browser: none found. {REMEDY}")
    return found


def get_driver(driver: Sequence[str], root: bool) -> None:
    """See that Playwright's driver runs; `root` installs what it needs on Debian. Raises BrowserError."""
    try:
        version(*driver)
    except BrowserError as error:
        if not (root and shutil.which("apt-get")):
            raise BrowserError(f"{error}. {DRIVER_REMEDY}") from error
        _say(f"{error}; installing what it needs")
        _install(*DRIVER_NEEDS)
        try:
            version(*driver)
        except BrowserError as again:
            raise BrowserError(f"{again}. {DRIVER_REMEDY}") from again


def find_browser(own: str) -> str | None:
    """The program that CHROMIUM names, else the first that runs of those on the PATH and `own`.

    Raises BrowserError where CHROMIUM names something else.
    """
    if given := os.environ.get("CHROMIUM", "").strip():
        if not (found := shutil.which(given)):
            raise BrowserError(f"CHROMIUM names {given}, which is no program")
        version(found)
        return found
    for found in filter(None, map(shutil.which, (*NAMES, own))):
        try:
            version(found)
        except BrowserError as error:
            _say(str(error))  # such as Ubuntu's stand-in for a snap
        else:
            return found
    return None


def version(*program: str) -> str:
    """What a program says that it is. Raises BrowserError where it does not run."""
    name = " ".join(program)
    try:
        done = subprocess.run(
            [*program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=VERSION_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrowserError(f"{name} does not run: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise BrowserError(f"{name} does not run: {' '.join(said) or done.returncode}")
    return done.stdout.strip()


def needs_browser(words: Sequence[str]) -> bool:
    """Whether pytest with these words runs tests/browser: a path holds it or is in it, or none is named."""
    paths = [(ROOT / word.split("::")[0]).resolve() for word in words]
    paths = [path for path in paths if path.exists()]
    return not paths or any(path.is_relative_to(TESTS) or TESTS.is_relative_to(path) for path in paths)


def main(words: Sequence[str]) -> int:
    """Get the browser that the tests will need; 1 where there is none."""
    if not needs_browser(words):
        return 0
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        get_driver(DRIVER, root)
        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        found = get_browser(own, root)
        _say(f"{found} ({version(found)})")
    except BrowserError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _install(*packages: str) -> None:
    if not _apt_get(*INSTALL, *packages):
        _apt_get("update", "--quiet=2")  # the lists of packages are missing or old
        _apt_get(*INSTALL, *packages)


def _apt_get(*arguments: str) -> bool:
    _say(f"apt-get {' '.join(arguments)}")
    command = ["apt-get", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode == 0


def _say(text: str) -> None:
    print(f"[browser] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
