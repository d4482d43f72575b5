"""One run in the browser: live curve, reload, web restart, notification, compare, phone; hidden from other users."""

import os
import signal
import time

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from benchmarks.studio import Studio
from tests.e2e.conftest import Person, sign_in
from tests.e2e.test_jobs import launch, wait_for

TOLD = """window.told = [];
window.Notification = class extends window.Notification {
  static get permission() { return "granted"; }
  constructor(title, options) { super(title, options); window.told.push(title); }
};"""
"""Writes down what the browser's own notifications say. Chromium's shell calls them denied after it granted them."""
CHART = "#loss-card [data-loss-chart]"
SHOWN = 200
"""Rows of the chart's table at most."""


def last_step(page: Page) -> int:
    return int(page.locator(CHART).get_attribute("data-last-step") or 0)


def wait_past(page: Page, step: int, limit_s: float = 120.0) -> int:
    """Waits until the chart has drawn beyond `step`."""
    page.wait_for_function(
        "([where, step]) => Number(document.querySelector(where)?.dataset.lastStep || 0) > step",
        arg=[CHART, step],
        timeout=limit_s * 1000,
    )
    return last_step(page)


def loss_points(page: Page) -> set[int]:
    """The steps that the chart's own table shows."""
    page.get_by_role("button", name="Show as table").first.click()
    rows = page.locator("#loss-card tbody tr td:first-child")
    expect(rows.first).to_be_visible()
    steps = {int(text.replace(",", "")) for text in rows.all_inner_texts()}
    page.get_by_role("button", name="Show as chart").first.click()
    return steps


def complete_chart(steps: set[int], at: int) -> bool:
    """Every step up to `at` or later, from the first one on, or from the oldest that the table has room for."""
    first, last = min(steps), max(steps)
    return last >= at and steps == set(range(first, last + 1)) and (first == 1 or len(steps) >= SHOWN)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_is_watched_to_its_end(page: Page, api: httpx.Client, app_server: Studio, browser: Browser) -> None:
    page.context.grant_permissions(["notifications"])
    page.add_init_script(TOLD)
    job = launch(api, "watched")
    page.goto(f"/jobs/{job}")
    page.locator("#bell").click()
    page.get_by_label("Show them in this browser").click()
    expect(page.get_by_label("Show them in this browser")).to_be_checked()
    page.keyboard.press("Escape")
    grown = wait_past(page, 2)
    grown = wait_past(page, grown)  # without a reload

    page.reload()
    at = wait_past(page, grown)
    assert complete_chart(loss_points(page), at), "a reload in mid-run leaves no hole"

    _strike_web(app_server)
    at = wait_past(page, last_step(page), limit_s=240)
    assert complete_chart(loss_points(page), at), "the page came back by itself, whole"

    _ask_to_stop(page)
    expect(page.locator("main [data-status=stopped]").first).to_be_visible(timeout=120_000)
    expect(page.locator("#bell")).to_have_attribute("data-unread", "1", timeout=30_000)
    page.wait_for_function("() => window.told.includes('watched was stopped')")
    page.locator("#bell").click()
    expect(page.get_by_role("dialog", name="Notifications")).to_contain_text("watched was stopped")
    page.keyboard.press("Escape")
    expect(page.locator("#bell")).to_have_attribute("data-unread", "0")

    _visit_tabs(page)
    _compare(page, api, job)
    _by_phone(page, job)
    _by_another_user(browser, app_server, job)


def _strike_web(app_server: Studio) -> None:
    """Kills the web, and returns when another one answers: its child goes on speaking for a moment."""
    web = psutil.Process(app_server.pids["web"])
    os.kill(web.pid, signal.SIGKILL)
    deadline = time.monotonic() + 120
    while app_server.pids["web"] == web.pid or not _answers(app_server):
        assert time.monotonic() < deadline, "the web was not started again"
        time.sleep(0.1)


def _answers(app_server: Studio) -> bool:
    try:
        return httpx.get(f"{app_server.url}/ping").is_success
    except httpx.TransportError:
        return False


def _ask_to_stop(page: Page) -> None:
    """Presses Stop and confirms. The page that has just come back is drawn again once, which closes a dialog."""
    confirm = page.get_by_role("alertdialog").get_by_role("button", name="Stop training")
    refused: list[str] = []
    for _ in range(6):
        try:
            page.locator("#job-stop").click(timeout=5_000)
            confirm.click(timeout=8_000)
        except PlaywrightError as error:
            refused.append(str(error))
        else:
            return
    raise AssertionError("\n".join(["The question whether to stop did not stay.", *refused]))


def _visit_tabs(page: Page) -> None:
    page.get_by_role("tab", name="System").click()
    expect(page.locator("#system [data-loss-chart]").first).not_to_have_attribute("data-point-count", "0")
    page.get_by_role("tab", name="Logs").click()
    page.get_by_placeholder("Search the log").fill("attempt")
    expect(page.get_by_role("log").locator("mark").first).to_be_visible()
    page.get_by_role("tab", name="Logs").press("ArrowLeft")
    expect(page.get_by_role("tab", name="Samples")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Metrics")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#metrics [data-loss-chart]").nth(1)).not_to_have_attribute("data-point-count", "0")


def _compare(page: Page, api: httpx.Client, job: str) -> None:
    other = launch(api, "another")
    page.goto(f"/jobs/{other}")
    expect(page.get_by_role("heading", name="another")).to_be_visible()
    api.post(f"/jobs/{other}/stop")
    wait_for(api, other, "stopped")
    page.goto(f"/jobs/compare?ids={job},{other}")
    expect(page.locator("[data-curves]")).to_have_attribute("data-curves", "2")
    expect(page.locator("#compare-parameters")).to_contain_text("Learning rate")
    expect(page.locator("#compared li")).to_have_count(2)
    report = api.get(f"/jobs/{job}/report")
    assert report.status_code == 200
    assert "Plotly.newPlot" in report.text


def _by_phone(page: Page, job: str) -> None:
    page.set_viewport_size({"width": 375, "height": 800})
    for address in (f"/jobs/{job}", "/jobs/compare?ids=" + job, "/workers"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator("main [aria-busy=true]")).to_have_count(0)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{address} is {wide} px too wide for a phone"


def _by_another_user(browser: Browser, app_server: Studio, job: str) -> None:
    stranger = browser.new_context(base_url=app_server.url)
    head = {"Origin": app_server.url}
    name = f"eve-{int(time.time())}"
    sign_in(stranger, app_server, Person(name, f"{name}@example.org"))
    for path in ("", "/report", "/telemetry", "/log.txt", "/place", "/metrics", "/timeline"):
        assert stranger.request.get(f"/api/v1/jobs/{job}{path}").status == 404, path
    assert stranger.request.get(f"/api/v1/compare?ids={job}").status == 404
    assert stranger.request.patch("/api/v1/queue", data={"paused": True}, headers=head).status == 403
    assert stranger.request.get("/api/v1/notifications").json()["items"] == []
    page = stranger.new_page()
    page.goto(f"/jobs/compare?ids={job}")
    expect(page.get_by_text("There is no such training job.")).to_be_visible()
    stranger.close()
