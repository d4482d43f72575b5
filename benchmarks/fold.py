"""What is in view on a laptop and on a phone: primary actions, the main chart, all columns of tables."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.browser import CHROMIUM_FLAGS
from benchmarks.studio import Studio, studio
from benchmarks.target import Target
from orchestrator.stack.check import ensure_chromium

TARGETS: dict[str, Target] = {
    "actions_out_of_view": {"max": 0.0},
    "charts_cut": {"max": 0.0},
    "tables_with_hidden_columns": {"max": 0.0},
    "pages_wider_than_window": {"max": 0.0},
}
WINDOWS = ((1280, 800), (375, 667))
PERSON = {"username": "fold", "email": "fold@example.org", "password": "a quiet lamp at dusk 7"}
SETTLE_MS = 1500
TOP_BAR = 56
"""Height of the bar that stays at the top of every page."""

_IN_VIEW = """e => {
  const box = e.getBoundingClientRect();
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth && e.contains(at);
}"""
_HIDDEN_COLUMNS = """() => [...document.querySelectorAll('main table')]
  .filter(table => table.offsetParent && table.id !== 'confusion')
  .map(table => table.closest('[role=region]') || table.parentElement)
  .filter(box => box.scrollWidth > box.clientWidth + 1)
  .map(box => box.getAttribute('aria-label') || 'table')"""


def prepare(url: str) -> tuple[httpx.Client, dict[str, int]]:
    """A person with a finished and a running job of the demo; the ids of what they have."""
    client = httpx.Client(base_url=f"{url}/api/v1", headers={"Origin": url}, timeout=60)
    client.post("/auth/signup", json=PERSON).raise_for_status()
    client.post("/auth/login", json={"login": PERSON["username"], "password": PERSON["password"]}).raise_for_status()
    dataset = _wait(lambda: _first(client, "/datasets?status=ready&task=classification"))
    model = _wait(lambda: _first(client, "/models?model_type=video_classification"))
    body = {"dataset_id": dataset["id"], "model_id": model["id"], "output_name": "fold-run"}
    done = client.post("/jobs", json=body | {"optim": {"epochs": 2}}).raise_for_status().json()["id"]
    _wait(lambda: client.get(f"/jobs/{done}").json()["status"] == "completed")
    adapter = _wait(lambda: _first(client, "/adapters"))
    running = client.post("/jobs", json=body | {"optim": {"epochs": 500}}).raise_for_status().json()["id"]
    _wait(lambda: client.get(f"/jobs/{running}").json()["step"] > 2)
    ids = {"dataset": dataset["id"], "model": model["id"], "adapter": adapter["id"], "done": done, "running": running}
    return client, ids


def pages(ids: dict[str, int]) -> list[tuple[str, str, str]]:
    """Name, address, and the selector of the primary action of each page."""
    wizard = f"/jobs/new?dataset={ids['dataset']}&model={ids['model']}"
    return [
        ("overview", "/overview", "main a[href='/jobs/new']"),
        ("datasets", "/datasets", "main a[href='/datasets/new']"),
        ("dataset", f"/datasets/{ids['dataset']}", "main a[href^='/jobs/new?dataset=']"),
        ("add dataset", "/datasets/new", "main form [type=submit]"),
        ("models", "/models", "main a[href='/models/new']"),
        ("model", f"/models/{ids['model']}", "main a[href^='/jobs/new?model=']"),
        ("add model", "/models/new", "main form [type=submit]"),
        ("jobs", "/jobs", "main a[href='/jobs/new']"),
        ("new job", "/jobs/new", "#wizard-next"),
        ("review", wizard, "#wizard-launch"),
        ("finished job", f"/jobs/{ids['done']}", "#job-download"),
        ("running job", f"/jobs/{ids['running']}", "#job-stop"),
        ("compare", f"/jobs/compare?ids={ids['done']},{ids['running']}", "main h1"),
        ("adapter", f"/adapters/{ids['adapter']}", "#adapter-download"),
        ("playground", f"/playground?adapter={ids['adapter']}", "main button:has-text('Run')"),
        ("workers", "/workers", "#queue-pause"),
    ]


def what_is_hidden(browser: Browser, url: str, client: httpx.Client, ids: dict[str, int]) -> dict[str, list[str]]:
    """What is not in view, by figure: "page at width"."""
    found: dict[str, list[str]] = {figure: [] for figure in TARGETS}
    for width, height in WINDOWS:
        context = browser.new_context(
            base_url=url, viewport={"width": width, "height": height}, has_touch=width < 768, reduced_motion="reduce"
        )
        context.add_cookies([{"name": name, "value": value, "url": url} for name, value in client.cookies.items()])
        page = context.new_page()
        for name, address, action in pages(ids):
            _open(page, address, action)
            where = f"{name} at {width}"
            found["actions_out_of_view"] += [] if page.locator(action).first.evaluate(_IN_VIEW) else [where]
            found["charts_cut"] += [where] if "job" in name and _chart_is_cut(page, width, height) else []
            found["tables_with_hidden_columns"] += [f"{table}, {where}" for table in page.evaluate(_HIDDEN_COLUMNS)]
            wider = page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
            found["pages_wider_than_window"] += [where] if wider else []
        context.close()
    return found


def run() -> dict[str, float]:
    """Counts over all pages and both windows."""
    with studio() as running:
        found = _measure(running)
    for figure, places in found.items():
        print(f"{figure}: {'; '.join(places) or 'none'}")
    return {figure: float(len(places)) for figure, places in found.items()}


def _measure(running: Studio) -> dict[str, list[str]]:
    client, ids = prepare(running.url)
    with closing(client), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=ensure_chromium(), args=CHROMIUM_FLAGS)
        return what_is_hidden(browser, running.url, client, ids)


def _open(page: Page, address: str, action: str) -> None:
    page.goto(address)
    page.locator(action).first.wait_for(timeout=60_000)
    page.wait_for_timeout(SETTLE_MS)


def _chart_is_cut(page: Page, width: int, height: int) -> bool:
    """On a laptop the chart is whole before any scrolling; on a phone it fits below the bar once scrolled to."""
    box: Any = page.locator("#loss-card").bounding_box() if page.locator("#loss-card").count() else None
    if box is None:
        return False
    return box["y"] + box["height"] > height if width >= 1024 else box["height"] > height - TOP_BAR


def _first(client: httpx.Client, path: str) -> Any:
    items = client.get(path).json()["items"]
    return items[0] if items else None


def _wait(condition: Callable[[], Any], limit_s: float = 300.0) -> Any:
    until = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < until, "It took too long."
        time.sleep(0.5)
    return value
