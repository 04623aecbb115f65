"""A real browser without a window, and consoles that it has opened; each test says where there is none."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from grant_broker.client import Client
from grant_broker.client.console.person import find_person
from grant_broker.client.console.serving import ConsoleServer
from tests.end_to_end.conftest import Running
from tests.local_stack.template import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SCREENSHOTS = ROOT / "build" / "screenshots"
REBOUND, EVIL = "rebound.example", "evil.example"
"""Names of an attacker's, which the browser resolves to this machine."""
_NAMES = ("chromium", "google-chrome", "chromium-browser")
_PATH = next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator["Browser"]:
    """Chromium, as the operating system has it: nothing is downloaded."""
    if request.config.pluginmanager.hasplugin("_cov"):
        pytest.skip("browser tests are not for coverage: name them, pytest tests/end_to_end/browser")
    api = pytest.importorskip(
        "playwright.sync_api", reason="NO BROWSER TEST RAN: pip install '.[browser]' brings playwright"
    )
    if _PATH is None:
        pytest.skip("NO BROWSER TEST RAN: there is no Chromium, which is Debian's package chromium")
    arguments = [f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1, MAP {EVIL} 127.0.0.1"]
    if os.geteuid() == 0:
        # Chromium's sandbox refuses to run as root, as whom containers of CI do.
        arguments.append("--no-sandbox")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=_PATH, args=arguments)
        yield launched
        launched.close()


@dataclass(frozen=True)
class Served:
    """A console that listens, and a browser's context for it."""

    url: str
    start_url: str
    context: "BrowserContext"

    def open(self) -> "Page":
        """The first page, by the start link."""
        page = self.context.new_page()
        page.goto(self.start_url)
        page.wait_for_selector("h1")
        return page


Serve = Callable[[str], Served]


@pytest.fixture
def serve(
    stack: Running, browser: "Browser", monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Served]]:
    """Start the console of a person, for a browser that nobody has used."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.ready["aws_url"])
    servers: list[ConsoleServer] = []

    def start(person: str) -> Served:
        client = Client(stack.ready["api_url"], session=stack.session(person))
        server = ConsoleServer(find_person(client), 0)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        return Served(server.start_url.partition("/start")[0], server.start_url, context)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def findings(page: "Page", name: str) -> list[str]:
    """What axe-core finds on a page in light and in dark, of which it leaves a picture each."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    found: list[str] = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}.png", full_page=True)
        # Only colours differ.
        options = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
        violations = axe.run(page, options=options).response["violations"]
        found += [f"{name}, {scheme}: {each['id']}: {each['nodes'][0]['html']}" for each in violations]
    return found
