"""Finds a Chromium for the browser tests: an installed one, else Debian's package (root on Debian),
else Playwright's own. `make test` calls it with --install before the tests start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "*** Kein Chromium gefunden und keines zu installieren: Die Browser-Tests werden "
    "übersprungen. ***"
)


def find_chromium() -> str | None:
    """Path of an executable browser, or None."""
    if named := os.environ.get("CHROMIUM"):
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights_own()


def install_chromium() -> str | None:
    """Find a browser, installing one where that is possible."""
    if path := find_chromium():
        return path
    if shutil.which("apt-get") and os.geteuid() == 0:
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium",
             "fonts-liberation"],
        ):  # fmt: skip
            _quietly(command, DEBIAN_FRONTEND="noninteractive")
        if path := find_chromium():
            return path
    _quietly([sys.executable, "-m", "playwright", "install", "chromium"])
    return find_chromium()


def _playwrights_own() -> str | None:
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Error:
        return None
    return path if Path(path).exists() else None


def _quietly(command: list[str], **environment: str) -> None:
    subprocess.run(
        command, env={**os.environ, **environment}, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


if __name__ == "__main__":
    found = install_chromium() if "--install" in sys.argv else find_chromium()
    print(found or MISSING)
