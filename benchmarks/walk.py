"""A newcomer without a mouse: from the landing page to a finished demo and the downloaded adapter."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.browser import CHROMIUM_FLAGS
from benchmarks.studio import studio
from benchmarks.target import Target
from orchestrator.stack.check import ensure_chromium

TARGETS: dict[str, Target] = {"presses": {"max": 30.0}, "waiting_s": {"max": 30.0}}
NAME, EMAIL, PASSWORD = "wanda", "wanda@example.org", "a quiet lamp at dusk 7"
LIMIT_MS = 600_000
_MAX_TABS = 80
_FOCUSED = "selector => Boolean(document.activeElement?.closest(selector))"
_LISTENS = """() => {
  const has = (thing, mark) => Object.keys(thing).some((key) => key.startsWith(mark));
  return !window.__reactRouterContext || has(document, "_reactListening");
}"""


class Keyboard:
    """Presses keys on a page and counts them; letters that are typed into fields are counted apart."""

    def __init__(self, page: Page) -> None:
        self.page, self.presses, self.typed = page, 0, 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.presses += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.typed += len(text)

    def reach(self, selector: str) -> None:
        """Moves the focus to an element by Tab, past the navigation by the skip link where a page begins with it.

        Raises:
            AssertionError: the element was not reached.
        """
        for _ in range(_MAX_TABS):
            if self.page.evaluate(_FOCUSED, selector):
                return
            self.press("Tab")
            if self.page.evaluate(_FOCUSED, "a[href='#content']"):
                self.press("Enter")
        raise AssertionError(f"{selector} is not reached by Tab on {self.page.url}.")


class Waits:
    """Seconds for which a person can only wait, by what they wait for."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def until(self, what: str, condition: Callable[[], Any]) -> None:
        began = time.monotonic()
        condition()
        self.seconds[what] = round(time.monotonic() - began, 2)


def run() -> dict[str, float]:
    """`presses`: keys but letters; `waiting_s`: all waits without the training itself."""
    with studio() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_chromium(), args=CHROMIUM_FLAGS)
        with closing(browser):
            return walk(browser, running.url)


def walk(browser: Browser, url: str) -> dict[str, float]:
    """The whole way, and what it took."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(LIMIT_MS)
    page, waits = context.new_page(), Waits()
    keyboard = Keyboard(page)
    waits.until("landing", lambda: _open(page))
    keyboard.reach("main a[href='/signup']")
    keyboard.press("Enter")
    waits.until("sign-up page", lambda: page.wait_for_selector("input[name=username]"))
    for field, text in (("username", NAME), ("email", EMAIL), ("password", PASSWORD), ("confirmation", PASSWORD)):
        keyboard.reach(f"input[name={field}]")
        keyboard.type(text)
    keyboard.press("Enter")
    waits.until("demo on offer", lambda: page.wait_for_selector("#train-demo:not([disabled])"))
    keyboard.reach("#train-demo")
    keyboard.press("Enter")
    waits.until("live job", lambda: page.wait_for_url("**/jobs/*"))
    waits.until("adapter", lambda: page.wait_for_selector("#job-download"))
    keyboard.reach("#job-download")
    with page.expect_download() as download:
        keyboard.press("Enter")
        began = time.monotonic()
    waits.seconds["download"] = round(time.monotonic() - began, 2)
    assert download.value.suggested_filename.endswith(".zip")
    job = context.request.get(f"/api/v1/jobs/{page.url.rstrip('/').rpartition('/')[2]}").json()
    assert job["status"] == "completed", job["error"]
    training = float(job["summary"]["train_seconds"])
    context.close()
    print("; ".join(f"{what}: {seconds} s" for what, seconds in waits.seconds.items()))
    return {
        "presses": float(keyboard.presses),
        "letters": float(keyboard.typed),
        "waiting_s": round(sum(waits.seconds.values()) - training, 2),
        "training_s": round(training, 2),
    }


def _open(page: Page) -> None:
    page.goto("/")
    page.wait_for_function(_LISTENS)
