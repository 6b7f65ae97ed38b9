"""A page in a real browser that reports no error."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from waiting import PATIENCE_S

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@contextmanager
def browser_page(*, width: int, noise: tuple[str, ...] = ("error",), scripts: bool = True) -> Iterator["Page"]:
    """A new page, which may run scripts or not; none of these kinds of message may be on its console at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": width, "height": 1000}, java_script_enabled=scripts)
        page.set_default_timeout(1000 * PATIENCE_S)
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text) if message.type in noise else None)
        page.on("pageerror", lambda error: heard.append(str(error)))
        yield page
        browser.close()
        assert heard == []
