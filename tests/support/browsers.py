"""A page in a real browser that reports no error."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE_PATIENCE_S = 45.0  # for what a page does in a second or two on an idle machine; what never comes is said soon
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """A browser for several pages; only one may be open at a time."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def browser_page(
    *, width: int, noise: tuple[str, ...] = ("error",), scripts: bool = True, browser: "Browser | None" = None
) -> Iterator["Page"]:
    """A new page, which may run scripts or not; none of these kinds of message may be on its console at the end.

    It shares nothing with other pages, and has a browser of its own where none is given.
    """
    with nullcontext(browser) if browser else open_browser() as opened:
        page = opened.new_page(viewport={"width": width, "height": 1000}, java_script_enabled=scripts)
        page.set_default_timeout(1000 * PAGE_PATIENCE_S)
        heard: list[str] = []

        def hear(text: str) -> None:
            heard.append(text)
            print(f"The page says: {text}")  # beside the failure of a test that waits for what this error prevents

        page.on("console", lambda message: hear(message.text) if message.type in noise else None)
        page.on("pageerror", lambda error: hear(str(error)))
        yield page
        page.close()
        assert heard == []
