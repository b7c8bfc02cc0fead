"""A whole platform and a real browser: `reallabor up` on an empty home with a small trial of its
own, and pages that fail on errors, on English words and on any request that leaves the host."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import four_scenarios as four
import pytest
from building import REPOSITORY, Trial, small_trial
from find_chromium import MISSING, find_chromium
from playwright.sync_api import Browser, Page, WebSocket, expect, sync_playwright

from reallabor.supervisor import _free_port

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
READY = (
    '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
    '[data-test-script-state="notRunning"]'
)
expect.set_options(timeout=20_000)

CANARIES = {
    "eins": "kanarie-variante-eins",
    "zwei": "kanarie-variante-zwei",
    "alt": "kanarie-variante-alt",
}
CANARY_TITLE, CANARY_TEAM = "Suche Zeisig", "Kanarienhaus Kreis Probe"
SYSTEM = """
def build(variant, folder):
    length = {"kanarie-variante-eins": 1, "kanarie-variante-zwei": 2}.get(variant, 3)

    def answer(question):
        text = " ".join(["Das steht in Ihrem Bescheid."] * length) + " Zu: " + question
        return {"text": text, "sources": ["p-1"], "handover": False}

    return answer
"""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups, whenever this file is loaded
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests share one platform, so they stay on one worker."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("browser"))
            item.add_marker(pytest.mark.browser)


@dataclass
class Platform:
    """A running `reallabor up`."""

    url: str
    mlflow: str
    home: Path
    environment: dict[str, str]
    trial: Trial
    slug: str = field(init=False)

    def __post_init__(self) -> None:
        self.slug = self.trial.slug

    def reallabor(self, *arguments: str) -> str:
        """A command of the command line on this platform; fails where it refuses."""
        done = subprocess.run(
            [sys.executable, "-c", "from reallabor.cli import main; main()", *arguments],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


def until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until the app answers; what it logged where it does not."""
    deadline = monotonic() + 180
    while monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/reallabor/ready", timeout=2)
            return
        sleep(0.3)
    raise AssertionError(log.read_text("utf-8"))


@pytest.fixture(scope="session")
def platform(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path
) -> Iterator[Platform]:
    """The platform on an empty home, its demonstration filled, as after `make run`."""
    if request.config.getoption("loadgroup", default=False):
        mine = [item for item in request.session.items if "browser" in item.path.parts]
        assert all(item.nodeid.endswith("@browser") for item in mine), "xdist forgot the groups"
    home = tmp_path_factory.mktemp("platform") / "home"
    shutil.copytree(mlflow_template, home)
    trial = small_trial(tmp_path_factory.mktemp("content") / "content", "kleiner-versuch")
    variants = [
        {"key": CANARIES["eins"], "title": f"{CANARY_TITLE} eins"},
        {"key": CANARIES["zwei"], "title": f"{CANARY_TITLE} zwei"},
        {"key": CANARIES["alt"], "title": f"{CANARY_TITLE} alt", "baseline": True},
    ]
    trial.change(title="Kleiner Versuch", organisation=CANARY_TEAM, variants=variants,
                 candidate=CANARIES["eins"])  # fmt: skip
    (trial.folder / "system.py").write_text(SYSTEM, encoding="utf-8")
    shutil.copytree(
        REPOSITORY / "scenarios" / "buerger-chatbot", trial.content / "scenarios/buerger-chatbot",
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    shutil.copy(REPOSITORY / "app.py", trial.content / "app.py")
    app_port, mlflow_port = _free_port(), _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REALLABOR_")},
        "REALLABOR_HOME": str(home),
        "REALLABOR_CONTENT": str(trial.content),
        "REALLABOR_APP_PORT": str(app_port),
        "REALLABOR_TRACKING_PORT": str(mlflow_port),
        "REALLABOR_DEMO": "1",
        "REALLABOR_POLL_SECONDS": "1",
    }
    log = home / "up.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", "from reallabor.cli import main; main()", "up"],
            env=environment, stdout=file, stderr=file, cwd=trial.content,
        )  # fmt: skip
    url = f"http://127.0.0.1:{app_port}"
    until_ready(process, url, log)
    yield Platform(url, f"http://127.0.0.1:{mlflow_port}", home, environment, trial)
    process.send_signal(signal.SIGTERM)
    process.wait(60)


@pytest.fixture(scope="session")
def gathered(platform: Platform) -> Platform:
    """The four scenarios, recorded, rated, released and reviewed on the platform."""
    four.write_folders(platform.trial.content)
    subprocess.run(
        [sys.executable, str(REPOSITORY / "tests" / "four_scenarios.py")], check=True,
        env={**platform.environment, "PYTHONPATH": str(REPOSITORY / "tests")},
    )  # fmt: skip
    return platform


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, or a skip with one loud line."""
    path = find_chromium()
    if path is None:
        warnings.warn(MISSING, stacklevel=1)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Screen:
    """A browser page on the platform, and what went over its wire."""

    page: Page
    platform: Platform
    frames: list[bytes] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str = "", person: str | None = None, **query: str) -> None:
        """Open a page as a person and wait until it stands still."""
        pairs = {**({"person": person} if person else {}), **query}
        text = "&".join(f"{key}={quote(value)}" for key, value in pairs.items())
        self.page.goto(f"{self.platform.url}/{path}" + (f"?{text}" if text else ""))
        self.rest()

    def rest(self) -> None:
        """Wait until the script has finished; an exception box is a failure."""
        expect(self.page.locator(READY)).to_be_visible()
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        expect(self.page.get_by_test_id("stException")).to_have_count(0)

    def watch(self) -> None:
        """Notice errors, requests that leave the host, and every websocket frame."""
        own = (self.platform.url, self.platform.url.replace("http", "ws"), "data:", "blob:")

        def on_request(url: str) -> None:
            if not url.startswith(own):
                self.faults.append(f"leaves the host: {url}")

        def on_frame(payload: str | bytes) -> None:
            self.frames.append(payload if isinstance(payload, bytes) else payload.encode())

        def on_socket(socket: WebSocket) -> None:
            socket.on("framereceived", on_frame)
            socket.on("framesent", on_frame)

        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: on_request(request.url))
        self.page.on("websocket", on_socket)

    def all_words(self) -> str:
        """Everything that is read or read out on the page."""
        return str(
            self.page.evaluate(
                "[document.body.innerText, ...[...document.querySelectorAll("
                "'[aria-label],[title],[placeholder]')].flatMap(e => [e.ariaLabel, e.title, "
                "e.placeholder])].join('\\n')"
            )
        )


def new_screen(
    browser: Browser, platform: Platform, *, width: int = 1440, height: int = 900,
    dark: bool = False,
) -> Screen:  # fmt: skip
    context = browser.new_context(
        locale="de-DE", timezone_id="Europe/Berlin", reduced_motion="reduce",
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
    )  # fmt: skip
    screen = Screen(context.new_page(), platform)
    screen.watch()
    return screen


@pytest.fixture
def screen(browser: Browser, platform: Platform) -> Iterator[Screen]:
    """A page at 1440 x 900; a fault on it fails the test."""
    one = new_screen(browser, platform)
    yield one
    one.page.context.close()
    assert not one.faults, one.faults


def prose(text: str) -> re.Pattern[str]:
    """A pattern that finds this text whatever kind of space stands in it."""
    return re.compile(r"\s+".join(map(re.escape, text.split())))
