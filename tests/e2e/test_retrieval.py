"""Retrieval from the wizard to the searches on the job's page, as a person goes."""

import re
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_wizard import READY_S


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_captions_train_a_retriever(page: Page, api: httpx.Client) -> None:
    deadline = time.monotonic() + READY_S
    while not api.get("/datasets", params={"status": "ready", "task": "captioning"}).json()["items"]:
        assert time.monotonic() < deadline, "The captioned demo dataset did not appear."
        time.sleep(0.5)
    page.goto("/jobs/new")
    page.locator("[data-dataset]").filter(has_text="Shapes described").click()
    page.locator("#wizard-next").click()
    page.locator("[data-model]").filter(has_text="Tiny retriever").click()
    page.locator("#wizard-next").click()
    page.locator("#field-optim-epochs").fill("1")
    page.locator("#field-optim-epochs").press("Tab")
    page.wait_for_timeout(800)
    page.locator("#wizard-next").click()
    page.locator("#wizard-launch").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/?$"))
    expect(page.locator("main [data-status=completed]").first).to_be_visible(timeout=600_000)
    reached = page.locator("#job-reached")
    for label in ("R@1", "R@5", "R@10", "Median rank"):
        expect(reached).to_contain_text(label)
    expect(page.locator("#load-code")).to_contain_text("VisionTextDualEncoderModel")
    page.get_by_role("tab", name="Samples").click()
    searches = page.locator("#job-samples > li")
    expect(searches.first).to_be_visible()
    assert searches.count() >= 5
    picture = searches.first.locator("img").first
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("img => img.naturalWidth") > 0
    job = page.url.rstrip("/").rpartition("/")[2]
    summary = api.get(f"/jobs/{job}").json()["summary"]
    assert 0 <= summary["baseline"]["eval_r1"] <= 1
    assert summary["task"] == "retrieval"
