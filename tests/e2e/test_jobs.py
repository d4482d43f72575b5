"""Job pages in a real browser: stop, failure with its reason, strangers' jobs, the list that moves by itself."""

import json
import shutil
import sqlite3
import time
from contextlib import closing
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.studio import Studio
from tests.e2e.conftest import Person, sign_in
from tests.e2e.test_wizard import wait_for_demo

RECIPE: dict[str, Any] = {
    "training_type": "finetune",
    "qlora": {"r": 8, "alpha": 16},
    "optim": {"epochs": 400, "batch_size": 16},  # longer than any test watches
    "output_name": "a-run-to-watch",
}


def launch(api: httpx.Client, name: str = "a-run-to-watch") -> str:
    """A job of the demo dataset by REST."""
    dataset, model = wait_for_demo(api)
    body = RECIPE | {"dataset_id": dataset, "model_id": model, "output_name": name}
    answer = api.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def wait_for(api: httpx.Client, job: str, *statuses: str, limit_s: float = 240.0) -> dict[str, Any]:
    """The job, once it has one of these statuses."""
    deadline = time.monotonic() + limit_s
    found: dict[str, Any] = {"status": "not asked yet"}
    while time.monotonic() < deadline:
        found = api.get(f"/jobs/{job}").json()
        if found["status"] in statuses:
            return found
        time.sleep(0.5)
    raise AssertionError(f"Job {job} is {found['status']}, not {statuses}: {found.get('error')}")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_stop_ends_the_run(page: Page, api: httpx.Client) -> None:
    job = launch(api)
    page.goto(f"/jobs/{job}")
    expect(page.locator("main [data-status=running]").first).to_be_visible(timeout=120_000)
    page.locator("#job-stop").click()
    page.get_by_role("button", name="Stop training").click()
    expect(page.locator("main [data-status=stopped]").first).to_be_visible(timeout=120_000)
    assert api.get(f"/jobs/{job}").json()["status"] == "stopped"


def _leave_adapter(app_server: Studio, job: str) -> None:
    """As if the first attempt had exported an adapter before it failed."""
    adapter = app_server.data_dir / "jobs" / job / "a1" / "adapter"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}")
    with closing(sqlite3.connect(app_server.data_dir / "loreel.db", timeout=30)) as database, database:
        [(noted,)] = database.execute("SELECT files FROM ended_attempts WHERE job_id = ? AND attempt = 1", (job,))
        facts = adapter.stat()
        files = json.dumps(json.loads(noted) | {"adapter": [facts.st_size, facts.st_mtime_ns]})
        database.execute("UPDATE ended_attempts SET files = ? WHERE job_id = ? AND attempt = 1", (files, job))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_failed_job_says_why(page: Page, api: httpx.Client, app_server: Studio) -> None:
    wait_for_demo(api)
    clips = next((app_server.data_dir / "storage" / "demo").rglob("*.mp4")).parents[1]
    aside = clips.with_name(f"{clips.name}-aside")
    shutil.move(clips, aside)
    # Frames that an earlier job decoded would do instead of the files.
    shutil.rmtree(app_server.data_dir / "cache", ignore_errors=True)
    try:
        job = launch(api, "without-its-clips")
        page.goto(f"/jobs/{job}")
        expect(page.locator("#job-failure")).to_be_visible(timeout=180_000)
        assert page.locator("#job-error").inner_text().strip() == api.get(f"/jobs/{job}").json()["error"]
        expect(page.locator("#job-failure").get_by_text("Clone with changes")).to_be_visible()
        # What a checkpoint left can be had, but is not the first thing to do.
        _leave_adapter(app_server, job)
        page.reload()
        expect(page.locator("#job-download")).to_be_visible()
        expect(page.locator("main .bg-primary")).to_have_text("Clone with changes")
    finally:
        shutil.move(aside, clips)


def test_an_unknown_job_says_so_and_leads_home(page: Page, api: httpx.Client) -> None:
    for number in ("999999", "abc"):
        page.goto(f"/jobs/{number}")
        expect(page.get_by_role("heading", name="There is no such job", exact=True)).to_be_visible()
        expect(page.locator("main").get_by_role("link", name="All jobs")).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_strangers_job_reads_like_an_unknown_one(
    page: Page, api: httpx.Client, browser: Browser, app_server: Studio
) -> None:
    job = launch(api, "mine-alone")
    other = browser.new_context(base_url=app_server.url)
    sign_in(other, app_server, Person(f"other-{job}", f"other-{job}@example.org"))
    theirs = other.new_page()
    theirs.goto(f"/jobs/{job}")
    expect(theirs.get_by_role("heading", name="There is no such job", exact=True)).to_be_visible()
    expect(theirs.get_by_text("mine-alone")).to_have_count(0)
    other.close()
    api.post(f"/jobs/{job}/stop")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_list_moves_by_itself(page: Page, api: httpx.Client) -> None:
    page.goto("/jobs")
    expect(page.get_by_text("No training jobs yet")).to_be_visible()
    job = launch(api, "seen-in-the-list")
    row = page.locator(f"[data-job='{job}']")
    expect(row).to_be_visible(timeout=30_000)
    expect(row.locator("[data-status=running]")).to_be_visible(timeout=120_000)
    api.post(f"/jobs/{job}/stop")
    expect(row.locator("[data-status=stopped]")).to_be_visible(timeout=120_000)
    row.get_by_role("link").click()
    page.wait_for_url(f"**/jobs/{job}")
