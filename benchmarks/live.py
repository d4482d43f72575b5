"""From Launch to the first loss point, and from a trainer's step to the chart's data, in a real browser."""

import json
import os
import shutil
import statistics
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.browser import CHROMIUM_FLAGS
from benchmarks.studio import Studio, studio
from benchmarks.target import Target

TARGETS: dict[str, Target] = {"launch_to_first_loss_s": {"max": 8.0}, "step_to_chart_p95_ms": {"max": 250.0}}
PERSON = {"username": "bench", "email": "bench@example.org", "password": "a quiet lamp at dusk 7"}
SETTLE_S = 25.0
"""How long a person looks at the wizard before launching: the worker gets a trainer ready meanwhile."""

# The chart says in its attributes which record it drew last and when it got it (see ui/charts).
_WATCH = """
() => {
  window.__arrivals = [];
  const seen = (chart) => {
    const seq = Number(chart.dataset.lastSeq), at = Number(chart.dataset.arrived);
    if (seq && Number(chart.dataset.pointCount)) window.__arrivals.push([seq, at]);
  };
  new MutationObserver((changes) => {
    for (const change of changes) if (change.target.matches?.('[data-loss-chart]')) seen(change.target);
    document.querySelectorAll('[data-loss-chart]').forEach(seen);
  }).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-arrived']});
}
"""


def run() -> dict[str, float]:
    """Seconds and milliseconds; the demo job with the wizard's own defaults, one tab, a worker that is warm."""
    with studio() as running, sync_playwright() as playwright:
        path = os.environ.get("LOREEL_TEST_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        try:
            return _measure(running, browser)
        finally:
            browser.close()


def _measure(running: Studio, browser: Browser) -> dict[str, float]:
    context = browser.new_context(base_url=running.url)
    _sign_up(context, running.url)
    _wait_for_demo(context)
    page = context.new_page()
    page.add_init_script(f"({_WATCH})()")
    _fill_wizard(page)
    time.sleep(SETTLE_S)
    warm = any("jobs.trainer.prewarmed_main" in " ".join(child.cmdline()) for child in _workers(running))
    launched = page.evaluate("() => Date.now()")
    page.locator("#wizard-launch").click()
    page.wait_for_function("() => window.__arrivals && window.__arrivals.length > 0", timeout=120_000, polling=50)
    job_id = int(page.url.rstrip("/").rpartition("/")[2])
    first = page.evaluate("() => window.__arrivals[0][1]")
    _wait_for_end(context, job_id)
    waits = _waits(
        running.data_dir / "jobs" / str(job_id) / "a1" / "metrics.jsonl", page.evaluate("() => window.__arrivals")
    )
    return {
        "launch_to_first_loss_s": round((first - launched) / 1000, 2),
        "step_to_chart_p50_ms": round(statistics.median(waits), 1),
        "step_to_chart_p95_ms": round(statistics.quantiles(waits, n=20)[-1], 1),
        "points": float(len(waits)),
        "trainer_was_warm": float(warm),
    }


def _sign_up(context: BrowserContext, url: str) -> None:
    head = {"Origin": url}
    made = context.request.post("/api/v1/auth/signup", data=PERSON, headers=head)
    assert made.ok, made.text()
    login = {"login": PERSON["username"], "password": PERSON["password"]}
    assert context.request.post("/api/v1/auth/login", data=login, headers=head).ok


def _wait_for_demo(context: BrowserContext, limit_s: float = 400.0) -> None:
    """The first start draws the demo and registers the base; both must be there before a job can be launched."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        datasets = context.request.get("/api/v1/datasets").json()["items"]
        models = context.request.get("/api/v1/models").json()["items"]
        if models and any(dataset["status"] == "ready" for dataset in datasets):
            return
        time.sleep(0.5)
    raise RuntimeError("The demo dataset or the built-in base did not appear.")


def _fill_wizard(page: Page) -> None:
    page.goto("/jobs/new")
    page.locator("[data-dataset]").first.click(timeout=60_000)
    page.locator("#wizard-next").click()
    page.locator("[data-model]").first.click()
    page.locator("#wizard-next").click()
    page.get_by_text("Learning rate").first.wait_for()
    page.locator("#wizard-next").click()
    page.locator("#wizard-launch").wait_for()


def _workers(running: Studio) -> list[psutil.Process]:
    return psutil.Process(running.pids["worker"]).children(recursive=True)


def _wait_for_end(context: BrowserContext, job_id: int, limit_s: float = 600.0) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        status = context.request.get(f"/api/v1/jobs/{job_id}").json()["status"]
        if status in ("completed", "failed", "stopped"):
            assert status == "completed", status
            return
        time.sleep(1.0)
    raise RuntimeError("The demo job did not end in time.")


def _waits(metrics: Path, arrivals: list[list[float]]) -> list[float]:
    """Milliseconds from each record's own time, taken right after its step, to the chart having it.

    Records that came with the history, before the page listened, are left out: they waited for the page.
    """
    opened = arrivals[0][0]
    waits: list[float] = []
    for line in metrics.read_text().splitlines():
        record: dict[str, Any] = json.loads(line)
        if record["kind"] != "metric" or "loss" not in record["values"] or record["seq"] <= opened:
            continue
        made = datetime.fromisoformat(record["t"]).timestamp() * 1000
        arrived = next((at for seq, at in arrivals if seq >= record["seq"]), None)
        if arrived is not None:
            waits.append(max(0.0, arrived - made))
    return waits
