"""A real Chromium, and a page that is watched: what a happy path must not have fails its test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from sirene_shared.settings import repository_folder

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",  # as root, and in a container
    "--autoplay-policy=no-user-gesture-required",
    # A name that is no loopback one for the browser: an origin without the powers of a secure one.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
AXE = repository_folder("web") / "node_modules" / "axe-core" / "axe.min.js"
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> Path:
    """The system's browser; a test without one is skipped, unless SIRENE_BROWSER=require."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        reason = "no Chromium on PATH: install it by the system's package manager"
        if os.environ.get("SIRENE_BROWSER") == "require":
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(found)


@contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What a page complained about: console errors, uncaught ones, answers of 400 and more."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("response", self._response)

    def forgive(self) -> None:
        """What came until now was meant to come."""
        self.complaints.clear()

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium repeats each failed request here; `response` names its address.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is shown now: rule, and where."""
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("rules => axe.run(document, {runOnly: rules})", AXE_RULES)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
