"""The wizard in a real browser: a sentence next to each bad field, a draft that survives, one launch a double click."""

import re
import time

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect

from benchmarks.studio import Studio
from tests.unit.jobs.families.tiny_llms import make_tiny

READY_S = 180.0


def wait_for_demo(api: httpx.Client) -> tuple[str, str]:
    """The ids of the demo dataset and of the built-in base, once both are ready."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        datasets = api.get("/datasets", params={"status": "ready", "task": "classification"}).json()["items"]
        models = [
            row
            for row in api.get("/models").json()["items"]
            if row["status"] == "ready" and row["model_type"] == "video_classification"
        ]
        if datasets and models:
            return str(datasets[0]["id"]), str(models[0]["id"])
        time.sleep(0.5)
    raise AssertionError("The demo dataset or the built-in base did not appear.")


def open_parameters(page: Page) -> None:
    """From an empty wizard to its third step."""
    page.goto("/jobs/new")
    page.locator("[data-dataset]").filter(has_text="Shapes in motion").first.click()
    page.locator("#wizard-next").click()
    page.locator("[data-model]").filter(has_text="Tiny VideoMAE").first.click()
    page.locator("#wizard-next").click()
    expect(page.locator("#field-qlora-r")).to_have_value("16")


@pytest.fixture
def demo(api: httpx.Client) -> tuple[str, str]:
    return wait_for_demo(api)


def test_a_missing_choice_is_reported_and_what_is_missing_can_be_added_on_the_way(
    page: Page, demo: tuple[str, str]
) -> None:
    page.goto("/jobs/new")
    page.locator("#wizard-next").click()
    expect(page.get_by_text("Choose a dataset to learn from.")).to_be_visible()
    page.locator("main").get_by_role("link", name="Add dataset").click()
    page.wait_for_url("**/datasets/new")
    page.get_by_role("link", name="Back to the job that you were setting up").click()
    page.wait_for_url("**/jobs/new**")


def test_a_bad_value_gets_its_sentence_at_the_field(page: Page, demo: tuple[str, str]) -> None:
    open_parameters(page)
    page.locator("#field-qlora-r").fill("-4")
    page.locator("#field-optim-learning-rate").fill("abc")
    page.locator("#field-optim-epochs").focus()
    asked = page.get_by_role("button", name="What is Rank (r)?")
    asked.press("Enter")
    expect(page.get_by_role("group", name="Rank (r)")).to_contain_text("more rank can learn more")
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Rank (r)")).to_be_hidden()
    expect(asked).to_be_focused()
    rank = page.locator("[data-field=field-qlora-r]")
    expect(rank.get_by_text("Rank must be a whole number from 1 to 256")).to_be_visible()
    rate = page.locator("[data-field=field-optim-learning-rate]")
    expect(rate.get_by_text("Learning rate must be a number above 0")).to_be_visible()
    expect(page.locator("#field-qlora-r")).to_have_attribute("aria-invalid", "true")

    page.locator("#wizard-next").click()
    expect(page.locator("#field-qlora-r")).to_be_focused()
    expect(page.locator("#field-qlora-r")).to_be_in_viewport()

    page.locator("#field-qlora-r").fill("8")
    page.locator("#field-optim-learning-rate").fill("2e-3")
    page.locator("#field-optim-epochs").focus()
    expect(rank.get_by_text("Rank must be")).to_have_count(0)
    page.locator("#wizard-next").click()
    expect(page.locator("#wizard-launch")).to_be_visible()


def test_a_reload_loses_nothing(page: Page, demo: tuple[str, str]) -> None:
    open_parameters(page)
    page.locator("#field-qlora-alpha").fill("48")
    page.locator("#field-output-name").fill("kept-over-the-reload")
    page.locator("#field-optim-epochs").focus()
    expect(page.locator("#draft-note")).to_be_visible()
    page.wait_for_timeout(800)
    page.reload()
    expect(page.locator("#field-qlora-alpha")).to_have_value("48")
    expect(page.locator("#field-output-name")).to_have_value("kept-over-the-reload")


def test_cancel_asks_and_forgets(page: Page, demo: tuple[str, str]) -> None:
    open_parameters(page)
    page.locator("#field-qlora-alpha").fill("48")
    page.locator("#field-qlora-alpha").press("Tab")
    # Leaving the field checks it, and the check may move what lies below: a click in that moment would miss.
    page.wait_for_timeout(800)
    page.locator("#wizard-cancel").click()
    page.get_by_role("button", name="Discard").click()
    page.wait_for_url("**/jobs")
    open_parameters(page)
    expect(page.locator("#field-qlora-alpha")).to_have_value("32")


def refuse_the_frame_size(page: Page) -> None:
    """What a rehearsal and the summary refuse leads to its field, out of the fold, and back to the review."""
    size = page.locator("#field-data-size")
    page.get_by_role("button", name="Edit Method").click()
    page.locator("#advanced-frames-heading").click()
    size.fill("64")
    change = page.get_by_role("button", name="Change it: This base takes exactly")
    for way in (page.locator("#wizard-rehearse"), change):
        page.locator("#advanced-frames-heading").click()
        expect(size).to_have_count(0)
        page.locator("#wizard-next").click()
        way.click()
        expect(size).to_be_focused()
        expect(size).to_have_attribute("aria-invalid", "true")
        expect(page.locator("[data-field=field-data-size]")).to_contain_text("Leave Frame size empty.")
    size.fill("")
    page.locator("#wizard-next").click()
    expect(page.locator("#rehearsal")).not_to_contain_text("Leave Frame size empty.")


def test_a_rehearsal_turns_the_estimate_into_a_measure(page: Page, demo: tuple[str, str]) -> None:
    dataset, model = demo
    page.goto(f"/jobs/new?dataset={dataset}&model={model}")
    refuse_the_frame_size(page)
    summary = page.locator("#wizard-summary")
    expect(summary).to_contain_text("estimated")
    page.locator("#wizard-rehearse").click()
    expect(summary).to_contain_text("measured", timeout=120_000)
    expect(page.locator("#rehearsal")).to_contain_text("8 frames of 48 \u00d7 48")
    expect(page.locator("#rehearsal")).to_contain_text("query \u00d7 4")


def test_a_double_click_launches_once(page: Page, api: httpx.Client, demo: tuple[str, str]) -> None:
    dataset, model = demo
    page.goto(f"/jobs/new?dataset={dataset}&model={model}")
    page.locator("#wizard-launch").dblclick()
    page.wait_for_url(re.compile(r"/jobs/\d+$"))
    page.wait_for_timeout(1500)
    jobs = api.get("/jobs").json()["items"]
    assert len(jobs) == 1
    api.post(f"/jobs/{jobs[0]['id']}/stop")


def test_two_tabs_keep_their_own_drafts_and_a_recipe_file_fills_one(page: Page, demo: tuple[str, str]) -> None:
    open_parameters(page)
    page.locator("#field-output-name").fill("tab-a")
    page.locator("#field-qlora-r").focus()
    page.wait_for_url(re.compile(r"/jobs/new/?\?draft=\d+(&step=\d)?$"))
    other = page.context.new_page()
    other.goto("/jobs/new")
    expect(other.get_by_role("list", name="Drafts")).to_contain_text("tab-a")
    open_parameters(other)
    recipe: FilePayload = {
        "name": "recipe.yaml",
        "mimeType": "text/yaml",
        "buffer": b"output_name: tab-b\nqlora: {r: 12, rank: 3}\n",
    }
    other.locator("#recipe-file").set_input_files(recipe)
    expect(other.locator("#recipe-result")).to_contain_text("Did you mean qlora.r?")
    expect(other.locator("#field-qlora-r")).to_have_value("12")
    other.wait_for_url(re.compile(r"\?draft=\d+(&step=\d)?$"))
    page.reload()
    expect(page.locator("#field-output-name")).to_have_value("tab-a")
    expect(page.locator("#field-qlora-r")).to_have_value("16")


def test_a_deleted_dataset_is_refused_with_a_sentence(page: Page, api: httpx.Client, demo: tuple[str, str]) -> None:
    dataset, model = demo
    page.goto(f"/jobs/new?dataset={dataset}&model={model}")
    expect(page.locator("#wizard-launch")).to_be_visible()
    assert api.delete(f"/datasets/{dataset}").status_code in (200, 204)
    page.locator("#wizard-launch").click()
    expect(page.get_by_text("This dataset does not exist any more. Choose another one.").first).to_be_visible()
    assert api.get("/jobs").json()["total"] == 0


def test_the_vision_tower_is_frozen_until_its_switch_is_turned(
    page: Page, api: httpx.Client, app_server: Studio, demo: tuple[str, str]
) -> None:
    """A folder whose config names a class of transformers: a Custom base, that the demo's captions are for."""
    base = make_tiny("qwen2_5_vl", app_server.data_dir / "models" / f"eyes-{time.time_ns()}")
    kind = {"name": base.name, "model_type": "video_captioning", "architecture": "Custom"}
    added = api.post("/models", json=kind | {"source": {"type": "path", "path": str(base)}})
    assert added.status_code == 201, added.text
    captions = api.get("/datasets", params={"status": "ready", "task": "captioning"}).json()["items"][0]["id"]
    page.goto(f"/jobs/new?dataset={captions}&model={added.json()['id']}")
    page.get_by_role("button", name="Edit Method").click()
    expect(page.get_by_text("Vision frozen")).to_be_visible()
    page.locator("#advanced-adapters-heading").click()
    page.locator("#advanced-machine-heading").click()
    page.get_by_role("switch", name="Adapters in the vision tower, too").click()
    expect(page.get_by_text("Vision frozen")).to_have_count(0)
    expect(page.get_by_role("switch", name="Liger kernels")).to_have_count(0)  # no worker here has a GPU
    page.get_by_role("combobox", name="Optimizer").click()
    page.get_by_role("option", name="AdamW, 8-bit").click()
    page.locator("#wizard-next").click()
    expect(page.locator("#review")).to_contain_text("gets adapters, too")
    expect(page.locator("#review")).to_contain_text("AdamW, 8-bit")
