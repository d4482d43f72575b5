"""Datasets as people bring and correct them: captions, a web address, a bucket, clips edited and taken back."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Person
from tests.fakes.azure_server import ACCOUNT, KEY, azure_server
from tests.fakes.hub_server import HubServer
from tests.fakes.videos import class_folders, draw_clip, zip_folder
from tests.fakes.web_server import file, web_server


def begin(page: Page, task: str, source: str, name: str) -> None:
    page.goto("/datasets/new/")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("radio", name=re.compile(task)).click()
    page.get_by_role("combobox", name="Source type").click()
    page.get_by_role("option", name=source).click()


def undo(page: Page, said: str) -> None:
    """By the toast that says this, once it lies in front of the older ones."""
    toast = page.locator("[data-sonner-toast][data-front=true]").filter(has_text=said)
    toast.get_by_role("button", name="Undo").click()


def ready(page: Page) -> None:
    page.wait_for_url(re.compile(r"/datasets/\d+"), timeout=60_000)
    expect(page.locator("main [data-status=ready]").first).to_be_visible(timeout=90_000)


def test_a_table_is_read_as_a_person_says(page: Page, signed_in: Person, tmp_path: Path) -> None:
    for number in range(2):
        draw_clip(tmp_path / "set" / f"{number}.mp4", shade=30 * number)
    (tmp_path / "set" / "notes.csv").write_text("which,says\n0.mp4,A square at dusk.\n1.mp4,A square at noon.\n")
    begin(page, "Captioning", "Upload file(s)", "noted")
    page.locator("[data-uploader=files]").set_input_files(str(zip_folder(tmp_path / "set", tmp_path / "noted.zip")))
    page.get_by_role("button", name="Add dataset").click()
    page.wait_for_url(re.compile(r"/datasets/\d+"), timeout=60_000)
    page.get_by_role("button", name="Edit", exact=True).click(timeout=60_000)
    dialog = page.get_by_role("dialog")
    for label, option in (
        ("Layout", "A table with a line for each clip"),
        ("Clip's file", "which"),
        ("Caption", "says"),
    ):
        dialog.get_by_role("combobox", name=label).click()
        page.get_by_role("option", name=option, exact=True).click()
    dialog.get_by_role("button", name="Re-import").click()
    ready(page)
    expect(page.get_by_role("button", name="Edit 1.mp4")).to_contain_text("A square at noon.")
    expect(page.get_by_text("Frame size", exact=True)).to_be_visible()


def test_how_it_is_read_is_checked_before_it_is_added(
    page: Page, signed_in: Person, api: httpx.Client, tmp_path: Path
) -> None:
    for label in ("cat", "dog"):
        for number in range(2):
            draw_clip(tmp_path / "set" / label / "monday" / f"{number}.mp4", shade=20 * number + 60 * (label == "dog"))
    begin(page, "Classification", "Upload file(s)", "days")
    page.locator("[data-uploader=files]").set_input_files(str(zip_folder(tmp_path / "set", tmp_path / "days.zip")))
    page.get_by_role("switch", name="Preview before importing").click()
    page.get_by_role("button", name="Add dataset").click()
    expect(page.get_by_role("heading", name="Review the import")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("There is only one class")).to_be_visible()
    assert api.get("/datasets").json()["items"][0]["clip_count"] == 0
    page.get_by_role("button", name="Edit", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Layout").click()
    page.get_by_role("option", name="Class folders", exact=True).click()
    dialog.get_by_role("combobox", name="Folder").click()
    page.get_by_role("option", name=re.compile("2 above the clip")).click()
    dialog.get_by_role("button", name="Re-import").click()
    expect(page.get_by_text("4\u00a0clips, 2\u00a0classes")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Accept").click()
    ready(page)
    expect(page.get_by_text("4 of 4")).to_be_visible()
    assert api.get("/datasets").json()["items"][0]["class_names"] == ["cat", "dog"]


def test_a_dataset_of_the_hub_with_a_token_from_the_settings(
    page: Page, signed_in: Person, api: httpx.Client, hub: HubServer, tmp_path: Path
) -> None:
    hub.repo, hub.kind, hub.token = "ada/squares", "dataset", "hf_abcdefghijklmnop"
    hub.files = {f"{n}.mp4": draw_clip(tmp_path / f"{n}.mp4", shade=30 * n).read_bytes() for n in range(2)}
    hub.files["metadata.csv"] = b"file_name,caption\n0.mp4,A square at dusk.\n1.mp4,A square at noon.\n"
    page.goto("/settings/")
    page.get_by_label("Save it as").fill("My Hub token")
    page.get_by_label("Hugging Face token").fill("no token")
    page.get_by_role("button", name="Save token").click()
    expect(page.get_by_text("Enter a Hub token. It begins with hf_")).to_be_visible()
    page.get_by_label("Hugging Face token").fill(hub.token)
    page.get_by_role("button", name="Save token").click()
    expect(page.get_by_text("My Hub token", exact=True)).to_be_visible()
    expect(page.get_by_label("Hugging Face token")).to_have_value("")
    assert hub.token not in page.content()

    begin(page, "Captioning", "Hugging Face dataset", "from the hub")
    page.get_by_label("Dataset ID").fill("ada/squares")
    page.get_by_role("button", name="Check size").click()
    expect(page.get_by_text("ada/squares is gated")).to_be_visible(timeout=60_000)
    page.get_by_role("combobox", name="Token").click()
    page.get_by_role("option", name=re.compile("My Hub token")).click()
    page.get_by_role("button", name="Check size").click()
    expect(page.get_by_text("3\u00a0files to fetch at commit")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name=re.compile("^Fetch ")).click()
    ready(page)
    expect(page.get_by_role("button", name="Edit 1.mp4")).to_contain_text("A square at noon.")

    source = {"type": "hub", "repo": "ada/squares"}
    closed = api.post("/datasets", json={"name": "closed", "task": "captioning", "source": source})
    page.goto(f"/datasets/{closed.json()['id']}")
    expect(page.get_by_text("ada/squares is gated")).to_be_visible(timeout=60_000)
    page.get_by_role("combobox", name="Stored token").click()
    page.get_by_role("option", name=re.compile("My Hub token")).click()
    page.get_by_role("button", name="Fetch again").click()
    ready(page)

    page.goto("/settings/")
    page.get_by_role("button", name="Delete credentials My Hub token").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete credentials").click()
    expect(page.get_by_text("No credentials yet.")).to_be_visible()
    assert api.get("/credentials").json()["items"] == []


def test_a_container_at_azure(page: Page, signed_in: Person, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "az", {"left": 2, "right": 2})
    with azure_server() as store:
        store.containers["films"] = {
            f"set/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in folder.rglob("*.mp4")
        }
        begin(page, "Classification", "Cloud storage link", "from azure")
        page.get_by_label("Bucket and folder").fill("az://films/set")
        page.get_by_role("button", name="Add dataset").click()
        expect(page.get_by_text("Name the account of the container")).to_be_visible()
        page.get_by_role("combobox", name="Credentials").click()
        page.get_by_role("option", name="New credentials").click()
        page.get_by_label("Storage account").fill(ACCOUNT)
        page.get_by_label("Account key", exact=True).fill(KEY)
        page.get_by_label("Endpoint").fill(store.endpoint)
        page.get_by_role("button", name="Add dataset").click()
        ready(page)
        expect(page.get_by_text("4 of 4")).to_be_visible()


def test_captions_next_to_clips(page: Page, signed_in: Person, tmp_path: Path) -> None:
    for number in range(3):
        draw_clip(tmp_path / "set" / f"{number}.mp4", shade=30 * number)
        (tmp_path / "set" / f"{number}.txt").write_text(f"Square number {number} moves.")
    archive = zip_folder(tmp_path / "set", tmp_path / "squares.zip")
    begin(page, "Captioning", "Upload file(s)", "squares")
    page.locator("[data-uploader=files]").set_input_files(str(archive))
    page.get_by_role("button", name="Add dataset").click()
    ready(page)
    expect(page.get_by_text("Captions next to the clips")).to_be_visible()
    page.get_by_role("button", name="Open 1.mp4").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Caption")).to_have_value("Square number 1 moves.")
    dialog.get_by_role("button", name="Show what a model sees").click()
    frames, size = dialog.get_by_label("Frames", exact=True), dialog.get_by_label("Frame size", exact=True)
    for typed, wrong, right in (("many", frames, size), ("", size, frames)):
        frames.fill(typed)
        size.fill("" if typed else "8")
        size.press("Enter")
        expect(wrong).to_have_attribute("aria-invalid", "true")
        expect(wrong).to_have_accessible_description(re.compile("whole numbers" if typed else "16 to 1,024 pixels"))
        expect(right).not_to_have_attribute("aria-invalid", "true")
    size.fill("")
    dialog.get_by_role("button", name="Draw").click()
    drawn = dialog.get_by_role("img", name=re.compile("as the model receives them"))
    expect(drawn).to_be_in_viewport(ratio=0.9, timeout=60_000)
    expect(dialog.get_by_role("list", name="Times of the frames in the clip").get_by_role("listitem")).to_have_count(8)
    dialog.get_by_label("Caption").fill("  ")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("A caption has 1 to 4,000 characters.")).to_be_visible()
    dialog.get_by_label("Caption").fill("An orange square.")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Edit 1.mp4")).to_contain_text("An orange square.")
    page.get_by_role("button", name="Undo v2").click()
    expect(page.get_by_role("button", name="Edit 1.mp4")).to_contain_text("Square number 1 moves.")
    _caption_in_its_tile(page)


def _caption_in_its_tile(page: Page) -> None:
    """By the keyboard: Escape leaves it, a refusal keeps what was typed, Enter saves, Undo takes it back."""
    words, typed = page.get_by_role("button", name="Edit 1.mp4"), page.get_by_label("Caption of 1.mp4")
    words.press("Enter")
    expect(typed).to_be_focused()
    typed.fill("Something else.")
    typed.press("Escape")
    expect(words).to_be_focused()
    expect(words).to_contain_text("Square number 1 moves.")
    for _ in range(2):
        words.press("Enter")
        typed.fill("  ")
        typed.press("Enter")
        expect(page.get_by_text("A caption has 1 to 4,000 characters.")).to_be_visible()
        expect(typed).to_have_value("  ")
        typed.press("Escape")
    words.press("Enter")
    typed.fill("A square, drawn.")
    typed.press("Shift+Enter")
    typed.press_sequentially("It moves.")
    typed.press("Enter")
    expect(words).to_be_focused()
    expect(words).to_have_accessible_name("Edit 1.mp4: A square, drawn. It moves.")
    page.get_by_text("This is version 4.").locator("xpath=ancestor::li").get_by_role("button", name="Undo").click()
    expect(words).to_contain_text("Square number 1 moves.")


def test_a_clip_without_a_caption_is_shown_and_written(page: Page, signed_in: Person, tmp_path: Path) -> None:
    for number in range(3):
        draw_clip(tmp_path / "set" / f"{number}.mp4", shade=30 * number, dx=1 + 2 * number)
    table = "file_name,caption\n0.mp4,A square at dusk.\n1.mp4,A square at noon.\n2.mp4,\n"
    (tmp_path / "set" / "metadata.csv").write_text(table)
    begin(page, "Captioning", "Upload file(s)", "mute")
    page.locator("[data-uploader=files]").set_input_files(str(zip_folder(tmp_path / "set", tmp_path / "mute.zip")))
    page.get_by_role("button", name="Add dataset").click()
    page.wait_for_url(re.compile(r"/datasets/\d+"), timeout=60_000)
    page.get_by_role("button", name="Show it: 1 clip has no caption").click(timeout=60_000)
    expect(page).to_have_url(re.compile("finding=unsaid"))
    expect(page.get_by_text("1 of 1")).to_be_visible()
    expect(page.get_by_role("button", name="Show all clips")).to_be_in_viewport()
    page.reload()
    page.get_by_role("button", name="Edit 2.mp4: Add a caption").click()
    page.keyboard.type("A square at dawn.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is version 2.")).to_be_visible()
    expect(page.get_by_text("3 of 3")).to_be_visible()
    expect(page.get_by_role("button", name="Edit 2.mp4: A square at dawn.")).to_be_visible()
    expect(page.get_by_text("Every clip has a caption")).to_be_visible()

    page.get_by_role("checkbox", name="Choose 0.mp4").click()
    page.get_by_role("button", name="Select all visible").click()
    page.get_by_role("button", name="Replace", exact=True).click()
    expect(page.get_by_text("Enter the text to replace.")).to_be_visible()
    page.get_by_label("Words in captions").fill("square")
    page.get_by_label("Replace with").fill("lamp")
    page.get_by_label("Replace with").press("Enter")
    expect(page.get_by_role("button", name="Edit 0.mp4: A lamp at dusk.")).to_be_visible()
    undo(page, "This is version 3.")
    expect(page.get_by_role("button", name="Edit 0.mp4: A square at dusk.")).to_be_visible()


def test_bare_videos_are_captioned_on_the_page(
    page: Page, signed_in: Person, api: httpx.Client, tmp_path: Path
) -> None:
    for number in range(2):
        draw_clip(tmp_path / "set" / f"{number}.mp4", shade=30 * number, dx=1 + 2 * number)
    begin(page, "Captioning", "Upload file(s)", "bare")
    page.locator("[data-uploader=files]").set_input_files(str(zip_folder(tmp_path / "set", tmp_path / "bare.zip")))
    page.get_by_role("button", name="Add dataset").click()
    page.wait_for_url(re.compile(r"/datasets/\d+"), timeout=60_000)
    page.get_by_role("button", name="Caption them here").click(timeout=60_000)
    expect(page.get_by_text("To be captioned")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Train on this")).to_have_count(0)
    page.get_by_role("button", name="Edit 0.mp4: Add a caption").click()
    page.keyboard.type("A square, number 0.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is version 2.")).to_be_visible()

    # The other caption comes with its clip, which is here already.
    dataset_id = int(page.url.strip("/").rpartition("/")[2])
    for number in range(2):
        (tmp_path / "set" / f"{number}.txt").write_text(f"A lamp, number {number}.")
    page.goto(f"/datasets/new?into={dataset_id}")
    page.locator("[data-uploader=files]").set_input_files(str(zip_folder(tmp_path / "set", tmp_path / "said.zip")))
    page.get_by_role("button", name="Add files").click()
    told = page.get_by_role("status").filter(has_text="2 clips were here already")
    expect(told).to_contain_text("1 had no caption and took the one that came now.", timeout=60_000)
    expect(told).to_contain_text("1 came with another caption, and kept its own.")
    told.get_by_role("button", name="Dismiss").click()
    expect(told).to_have_count(0)
    expect(page.get_by_role("button", name="Edit 0.mp4: A square, number 0.")).to_be_visible()
    expect(page.get_by_role("button", name="Edit 1.mp4: A lamp, number 1.")).to_be_visible()
    expect(page.get_by_role("link", name="Train on this")).to_be_visible()
    page.get_by_role("combobox", name="Use").click()
    page.get_by_role("option", name="In use").click()
    expect(page.get_by_text("2 of 2")).to_be_visible()

    clip_ids = [api.get(f"/datasets/{dataset_id}/clips").json()["items"][0]["id"]]
    for number in range(8):
        said = {"clip_ids": clip_ids, "caption": f"A square, said {number}."}
        assert api.patch(f"/datasets/{dataset_id}/clips", json=said).json()["edit"]["version"] == number + 4
    page.reload()
    versions = page.get_by_role("heading", name="Versions").locator("xpath=ancestor::section")
    expect(versions.get_by_text("8 of 10")).to_be_visible()
    versions.get_by_role("button", name="Show more").click()
    expect(versions.get_by_text("8 of 10")).to_have_count(0)
    versions.get_by_role("button", name="Undo v3").click()
    expect(page.get_by_text("Undone. This is version 12.")).to_be_visible()
    expect(versions.get_by_text("undone", exact=True)).to_be_visible()


def test_clips_from_a_web_address_are_corrected_in_bulk(page: Page, signed_in: Person, tmp_path: Path) -> None:
    archive = zip_folder(class_folders(tmp_path / "c", {"left": 4, "right": 3}), tmp_path / "a.zip").read_bytes()
    with web_server() as server:
        server.routes["/gestures.zip"] = file(archive)
        begin(page, "Classification", "URL", "from afar")
        page.get_by_label("Address").fill("file:///etc/passwd")
        page.get_by_role("button", name="Add dataset").click()
        expect(page.get_by_text("Enter an address that begins with https://")).to_be_visible()
        page.get_by_label("Address").fill(f"{server.url}/gestures.zip")
        page.get_by_role("button", name="Add dataset").click()
        ready(page)
    for number in range(2):
        page.get_by_role("checkbox", name=f"Choose left/left-0{number}.mp4").click()
    expect(page.get_by_text("2 clips chosen")).to_be_visible()
    page.get_by_placeholder("New label").fill("up")
    page.get_by_role("button", name="Set label").click()
    expect(page.get_by_text("2 clips: label up").first).to_be_visible()
    expect(page.get_by_role("button", name="Edit left/left-00.mp4")).to_contain_text("up")
    undo(page, "2 clips: label up")
    expect(page.get_by_text("Version 2 undone").first).to_be_visible()
    expect(page.get_by_role("button", name="Edit left/left-00.mp4")).to_contain_text("left")
    page.get_by_role("button", name="Edit left/left-01.mp4").click()
    page.get_by_label("Label of left/left-01.mp4").fill("right")
    page.get_by_label("Find a clip").fill("right-01")  # leaving the field saves
    expect(page.get_by_text("1 of 1")).to_be_visible()
    expect(page.get_by_text("1 clip: label right").first).to_be_visible()


@pytest.mark.slow
def test_a_bucket_with_new_credentials(page: Page, signed_in: Person, api: httpx.Client, tmp_path: Path) -> None:
    from moto.server import ThreadedMotoServer

    from tests.integration.test_fetch import fill_s3

    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    try:
        host, port = store.get_host_and_port()
        fill_s3(f"http://{host}:{port}", {"access_key": "AKIAEXAMPLE12", "secret_key": "hush"}, tmp_path)
        begin(page, "Classification", "Cloud storage link", "from a bucket")
        page.get_by_label("Bucket and folder").fill("s3://films/set")
        page.get_by_role("combobox", name="Credentials").click()
        page.get_by_role("option", name="New credentials").click()
        page.get_by_role("button", name="Add dataset").click()
        # Nothing typed: read as anybody would be a surprise.
        expect(page.get_by_text("Enter the access key's id.")).to_be_visible()
        page.get_by_label("Access key ID").fill("AKIAEXAMPLE12")
        page.get_by_label("Secret key", exact=True).fill("hush")
        page.get_by_label("Endpoint").fill(f"http://{host}:{port}")
        page.get_by_label("Save them as").fill("Team bucket")
        page.get_by_role("button", name="Add dataset").click()
        ready(page)
        expect(page.get_by_text("4 of 4")).to_be_visible()
    finally:
        store.stop()
    stored = api.get("/credentials").json()["items"]
    assert [(row["name"], row["hint"]) for row in stored] == [("Team bucket", "AKIA…12")]
    assert "hush" not in str(stored)
