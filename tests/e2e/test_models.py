"""Base models in a real browser: the built-in one tells its facts; a folder is added, refused in words, taken away."""

import base64
import re
import shutil

import httpx
from playwright.sync_api import Page, expect

from benchmarks.studio import Studio
from orchestrator.settings import ROOT
from tests.e2e.conftest import TOO_WIDE, Person
from tests.fakes.hub_server import HubServer

BASE = ROOT / "orchestrator" / "builtin" / "models" / "videomae-tiny"


def test_the_builtin_base_shows_its_facts(page: Page, signed_in: Person) -> None:
    page.goto("/models/")
    choose(page, "Type", "Video classification")
    expect(page.get_by_role("link", name="Tiny captioner")).to_have_count(0)
    choose(page, "Order", "Largest first")
    expect(page).to_have_url(re.compile("type=video_classification&sort=-parameters"))
    page.get_by_role("link", name="Tiny VideoMAE").click()
    expect(page.get_by_role("heading", name="Tiny VideoMAE")).to_be_visible()
    expect(page.get_by_role("link", name="Open in playground")).to_have_attribute(
        "href", re.compile(r"/playground\?model=")
    )
    for text in ("Parameters", "In 4-bit NF4", "query", "Direction of motion"):
        expect(page.get_by_text(text, exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="Train with this")).to_have_attribute("href", re.compile(r"/jobs/new\?model="))
    expect(page.get_by_role("button", name="Actions for Tiny VideoMAE")).to_have_count(0)


def choose(page: Page, select: str, option: str) -> None:
    page.get_by_role("combobox", name=select).click()
    page.get_by_role("option", name=option).click()


def test_a_folder_is_refused_then_added_and_deleted(page: Page, signed_in: Person, app_server: Studio) -> None:
    name = f"own {signed_in.username} ".ljust(80, "x")
    page.goto("/models/")
    page.get_by_role("link", name="Add model").first.click()
    choose(page, "Model source", "Custom path")
    page.get_by_label("Folder").fill("/etc")
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_text("The folder must be in")).to_be_visible()
    expect(page.get_by_text("Give the model a name")).to_be_visible()
    expect(page.get_by_label("Folder")).to_have_value("/etc")

    folder = app_server.data_dir / "models" / signed_in.username
    shutil.copytree(BASE, folder)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Folder").fill(str(folder))
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()

    page.goto("/models/")
    expect(page.get_by_role("link", name=name)).to_be_visible()  # else "not there" would hold while the list is read
    page.get_by_label("Search models").fill(name)
    expect(page.get_by_role("link", name="Tiny VideoMAE")).to_have_count(0)
    page.get_by_role("button", name=f"Actions for {name}").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("textbox").fill(name)
    page.set_viewport_size({"width": 375, "height": 812})
    assert page.get_by_role("dialog").evaluate(TOO_WIDE) == 0
    page.get_by_role("button", name="Delete model").click()
    expect(page.get_by_text("No model matches")).to_be_visible()
    assert (folder / "config.json").exists()


def test_weights_are_uploaded_and_checked(page: Page, signed_in: Person) -> None:
    name = f"sent {signed_in.username}"
    page.goto("/models/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_text("Choose the files first")).to_be_visible()
    files = [str(BASE / file) for file in ("config.json", "model.safetensors", "preprocessor_config.json")]
    page.locator("[data-uploader=files]").set_input_files(files[:2])
    page.get_by_role("button", name="Add model").click()
    expect(page.get_by_text("preprocessor_config.json is missing")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("All files have arrived.")).to_be_visible()
    page.get_by_role("button", name="Add model").click()  # the same sentence once more: nothing is lost, nothing hangs
    expect(page.get_by_text("preprocessor_config.json is missing")).to_be_visible()
    page.locator("[data-uploader=files]").set_input_files(files[2:])
    expect(page.get_by_role("heading", name=name)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Train with this")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("VideoMAE", exact=True).first).to_be_visible()


def test_a_model_of_the_hub_is_agreed_to_before_it_is_fetched(
    page: Page, signed_in: Person, api: httpx.Client, hub: HubServer
) -> None:
    hub.repo, hub.kind, hub.token = "ada/tiny", "model", ""
    hub.asked.clear()
    hub.files = {name: (BASE / name).read_bytes() for name in ("config.json", "model.safetensors")}
    hub.files["preprocessor_config.json"] = (BASE / "preprocessor_config.json").read_bytes()
    page.goto("/models/new/")
    choose(page, "Model source", "Hugging Face Hub ID")
    page.get_by_label("Model ID").fill("ada/tiny")
    page.get_by_role("button", name="Check size").click()
    expect(page.get_by_text("3\u00a0files to fetch at commit")).to_be_visible(timeout=60_000)
    assert not any("/resolve/" in path for _, path, _ in hub.asked)
    # Another id is another question.
    page.get_by_label("Model ID").fill("ada/tin")
    expect(page.get_by_role("button", name="Check size")).to_be_visible()
    page.get_by_label("Model ID").fill("ada/tiny")
    page.get_by_role("button", name="Check size").click()
    page.get_by_role("button", name=re.compile("^Fetch ")).click(timeout=60_000)
    expect(page.get_by_role("link", name="Train with this")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Commit on the Hub")).to_be_visible()

    hub.token = "hf_a_secret_one"
    source = {"type": "hub", "repo": "ada/tiny"}
    closed = api.post("/models", json={"name": "closed", "model_type": "video_classification", "source": source})
    kept = {"kind": "hub", "name": "My Hub token", "values": {"token": hub.token}}
    assert api.post("/credentials", json=kept).status_code == 201
    page.goto(f"/models/{closed.json()['id']}")
    expect(page.get_by_text("ada/tiny is gated")).to_be_visible(timeout=60_000)
    choose(page, "Stored token", "My Hub token")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="Train with this")).to_be_visible(timeout=60_000)


def test_an_interrupted_upload_continues(page: Page, signed_in: Person, api: httpx.Client) -> None:
    body = {"name": f"left {signed_in.username}", "model_type": "video_classification", "source": {"type": "upload"}}
    model_id = api.post("/models", json=body).json()["id"]
    page.goto(f"/models/{model_id}")
    expect(page.get_by_text("Its files have not all arrived")).to_be_visible()
    expect(page.locator("[data-status=waiting]")).to_have_text("Waiting for files")
    config = (BASE / "config.json").read_bytes()
    words = {"filename": "config.json", "model_id": model_id}
    metadata = ",".join(f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in words.items())
    begun = api.post("/uploads", headers={"Upload-Length": str(len(config)), "Upload-Metadata": metadata})
    part = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    place = begun.headers["location"].removeprefix("/api/v1")
    assert api.patch(place, content=config[:100], headers=part).status_code == 204
    page.get_by_role("link", name="Add its files").click()
    expect(page.get_by_role("heading", name=f"Add the files of left {signed_in.username}")).to_be_visible()
    expect(page.get_by_text("This upload was interrupted")).to_be_visible()
    expect(page.get_by_text("1\u00a0file in part, 100\u00a0B in all")).to_be_visible()
    files = [str(BASE / file) for file in ("config.json", "model.safetensors", "preprocessor_config.json")]
    page.locator("[data-uploader=files]").set_input_files(files)
    expect(page.get_by_role("link", name="Train with this")).to_be_visible(timeout=60_000)


def test_an_id_that_is_none_is_refused_and_stays(page: Page, signed_in: Person) -> None:
    page.goto("/models/new/")
    choose(page, "Model source", "Hugging Face Hub ID")
    page.get_by_label("Model ID").fill("not-an-id")
    page.get_by_role("button", name="Check size").click()
    expect(page.get_by_text("Enter an id like owner/name")).to_be_visible()
    expect(page.get_by_label("Model ID")).to_have_value("not-an-id")
    expect(page.get_by_label("Name")).to_have_value("not-an-id")
