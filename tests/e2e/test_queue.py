"""The queue as people steer it: pause, go on, drain, a sweep stopped as one; and a list whose link shows the same."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from playwright.sync_api import Page, expect

from benchmarks.studio import Studio
from tests.e2e.conftest import Person
from tests.e2e.test_jobs import RECIPE, launch, wait_for
from tests.e2e.test_wizard import wait_for_demo


@pytest.fixture
def admin(app_server: Studio, signed_in: Person, api: httpx.Client) -> Iterator[httpx.Client]:
    """REST as an administrator; the queue goes on and the worker takes work again afterwards."""
    with closing(sqlite3.connect(app_server.data_dir / "loreel.db", timeout=30)) as ledger, ledger:
        ledger.execute("UPDATE users SET role = 'admin' WHERE username = ?", (signed_in.username,))
    yield api
    api.patch("/queue", json={"paused": False})
    for worker in api.get("/workers").json()["items"]:
        api.post(f"/workers/{worker['name']}/drain", json={"draining": False})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_queue_is_steered(page: Page, admin: httpx.Client) -> None:
    dataset, model = wait_for_demo(admin)
    page.goto("/workers")
    page.locator("#queue-pause").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Pause queue").click()
    expect(page.locator("#queue-resume")).to_be_visible()

    body = RECIPE | {"dataset_id": dataset, "model_id": model, "sweep": {"qlora.r": [4, 8]}}
    sweep = admin.post("/sweeps", json=body).json()
    page.goto(f"/jobs/compare?sweep={sweep['id']}")
    expect(page.locator("#compared li [data-status=queued]")).to_have_count(2)
    page.locator("#sweep-stop").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Stop the sweep").click()
    expect(page.locator("#compared li [data-status=stopped]")).to_have_count(2)
    expect(page.locator("#sweep-stop")).to_have_count(0)
    _narrow_the_list(page, sweep["jobs"][0]["name"])

    job = launch(admin, "waits-its-turn")
    page.goto(f"/jobs/{job}")
    expect(page.get_by_text("The queue is paused.")).to_be_visible()

    page.goto("/workers")
    worker = page.locator("[data-worker]").first
    worker.get_by_role("button", name="Drain", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Drain worker").click()
    expect(worker).to_have_attribute("data-state", "draining")
    page.locator("#queue-resume").click()
    expect(page.locator("#queue-pause")).to_be_visible()
    page.goto(f"/jobs/{job}")
    expect(page.get_by_text("No worker takes jobs now.")).to_be_visible()
    page.goto("/workers")
    worker.get_by_role("button", name="Undrain").click()
    wait_for(admin, job, "starting", "running")
    admin.post(f"/jobs/{job}/stop")


def _narrow_the_list(page: Page, name: str) -> None:
    page.goto("/jobs")
    page.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Stopped").click()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="Tiny VideoMAE").click()
    expect(page).to_have_url(re.compile(r"/jobs\?status=stopped&model=\d+"))
    expect(page.locator("[data-job]")).to_have_count(2)
    page.reload()
    expect(page.locator("[data-job]")).to_have_count(2)
    expect(page.get_by_role("link", name=name)).to_be_visible()
    page.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Running").click()
    expect(page.get_by_text("No job matches")).to_be_visible()
