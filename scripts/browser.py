"""The browser of tests/browser and of the front end tools: finds it, installs it if missing, opens it.

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
# On a bare system there are no fonts without these.
CHROMIUM = ("chromium", "fonts-liberation")
# Playwright's driver is a Node.js of its own, which needs a library that a bare system may lack.
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
    """No working browser."""


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
    """A page of a new profile, `width` x `height` pixels, with a long timeout, that accepts dialogs."""
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.set_default_timeout(WAIT_MS)
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def ensure_browser(bundled: str, root: bool) -> str:
    """The browser, with `root` installed from Debian if missing; `bundled` is the path of Playwright's own.

    Raises BrowserError.
    """
    found = find_browser(bundled)
    if found is None and root and shutil.which("apt-get"):
        _say("there is none; installing Debian's Chromium, which can take some minutes")
        _install(*CHROMIUM)
        found = find_browser(bundled)
    if found is None:
        raise BrowserError(f"no browser: none found. {REMEDY}")
    return found


def ensure_driver(driver: Sequence[str], root: bool) -> None:
    """Check that Playwright's driver runs; `root` installs what it needs on Debian. Raises BrowserError."""
    try:
        version(*driver)
    except BrowserError as error:
        if not (root and shutil.which("apt-get")):
            raise BrowserError(f"{error}. {DRIVER_REMEDY}") from error
        _say(f"{error}; installing what it needs")
        _install(*DRIVER_NEEDS)
        try:
            version(*driver)
        except BrowserError as still_missing:
            raise BrowserError(f"{still_missing}. {DRIVER_REMEDY}") from still_missing


def find_browser(bundled: str) -> str | None:
    """The program that CHROMIUM names, else the first that runs of those on the PATH and `bundled`.

    Raises BrowserError where CHROMIUM names something else.
    """
    if named := os.environ.get("CHROMIUM", "").strip():
        if not (found := shutil.which(named)):
            raise BrowserError(f"CHROMIUM names {named}, which is no program")
        version(found)
        return found
    for found in filter(None, map(shutil.which, (*NAMES, bundled))):
        try:
            version(found)
        except BrowserError as error:
            _say(str(error))  # such as Ubuntu's stand-in for a snap
        else:
            return found
    return None


def version(*program: str) -> str:
    """Output of `program --version`. Raises BrowserError if it fails."""
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
        output = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise BrowserError(f"{name} does not run: {' '.join(output) or done.returncode}")
    return done.stdout.strip()


def needs_browser(arguments: Sequence[str]) -> bool:
    """Whether pytest with these runs tests/browser: a path contains it or is in it, or none is given."""
    paths = [(ROOT / word.split("::")[0]).resolve() for word in arguments]
    paths = [path for path in paths if path.exists()]
    return not paths or any(path.is_relative_to(TESTS) or TESTS.is_relative_to(path) for path in paths)


def main(arguments: Sequence[str]) -> int:
    """Install the browser that the tests need; returns 1 if that fails."""
    if not needs_browser(arguments):
        return 0
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    try:
        ensure_driver(DRIVER, root)
        with sync_playwright() as playwright:
            bundled = playwright.chromium.executable_path
        found = ensure_browser(bundled, root)
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
