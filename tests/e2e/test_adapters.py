"""Adapters in a real browser: a finished job's version is put into production, taken home, and deleted by name."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.e2e.conftest import TOO_WIDE, Person
from tests.studio import until

NAME = "moves".ljust(60, "s")
"""About as long as a name may be, without a blank to break it at."""


def test_a_finished_job_leaves_a_version(page: Page, signed_in: Person, api: httpx.Client) -> None:
    page.goto("/adapters/")
    expect(page.get_by_text("No adapters yet")).to_be_visible()
    demo = until(lambda: _ready_demo(api), 120.0, "the demo dataset", pause_s=0.5)
    model = api.get("/models", params={"q": "VideoMAE"}).json()["items"][0]
    body = {"dataset_id": int(demo), "model_id": int(model["id"]), "optim": {"max_steps": 2}, "output_name": NAME}
    job = api.post("/jobs", json=body).json()["id"]
    until(lambda: api.get(f"/jobs/{job}").json()["status"] == "completed", 200.0, "the job's end", pause_s=0.5)

    page.goto(f"/jobs/{job}/")
    page.get_by_role("link", name=f"{NAME} v1").click()
    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    expect(page.get_by_role("link", name=f"job {job}")).to_be_visible()
    expect(page.get_by_role("link", name="Open in playground")).to_have_attribute(
        "href", re.compile(r"/playground\?adapter=")
    )
    page.get_by_role("button", name="Promote to production").click()
    expect(page.get_by_role("button", name="Take out of production")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#adapter-download").click()
    assert download.value.suggested_filename == f"{NAME}-v1.zip"

    page.locator("#adapter-merge").click()
    expect(page.locator("#adapter-register")).to_be_visible(timeout=60_000)
    kept = {"kind": "hub", "name": "writes", "values": {"token": "hf_writes_nothing"}}
    assert api.post("/credentials", json=kept).status_code == 201
    page.locator("#adapter-push").click()
    page.get_by_role("combobox", name="Stored token").click()
    page.get_by_role("option", name="writes").click()
    page.get_by_role("button", name="Push", exact=True).click()
    expect(page.get_by_text("Enter an id like owner/name")).to_be_visible()
    expect(page.get_by_text("Enter a Hub token")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()

    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_text(f"It is the version of {NAME} in production")).to_be_visible()
    page.set_viewport_size({"width": 375, "height": 812})
    assert dialog.evaluate(TOO_WIDE) == 0
    dialog.get_by_role("textbox").fill(f"{NAME} v1")
    dialog.get_by_role("button", name="Delete version").click()
    page.wait_for_url(re.compile(r"/adapters/?$"))
    expect(page.get_by_text("No adapters yet")).to_be_visible()
    assert api.get(f"/jobs/{job}").json()["status"] == "completed"


def _ready_demo(api: httpx.Client) -> str:
    found = api.get("/datasets", params={"status": "ready"}).json()["items"]
    return next((row["id"] for row in found if row["task"] == "classification"), "")
