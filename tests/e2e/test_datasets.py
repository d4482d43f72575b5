"""Datasets in a real browser: bad input gets its sentence and the page goes on; search, edit, delete, cancel."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Request, Route, expect

from orchestrator.domain import formatting
from tests.e2e.conftest import Person
from tests.fakes.videos import bomb, class_folders, mpeg4, truncated, zip_entries, zip_folder
from tests.studio import until


def add(page: Page, file: Path, name: str) -> None:
    """Adds a dataset from one file, up to the page that shows how far it is."""
    page.goto("/datasets/new/")
    page.get_by_label("Name").fill(name)  # first: a suggestion from the file's name would come in mid-typing
    page.locator("[data-uploader=files]").set_input_files(str(file))
    page.get_by_role("button", name="Add dataset").click()
    page.wait_for_url(re.compile(r"/datasets/\d+"), timeout=60_000)


def good_zip(folder: Path, classes: dict[str, int]) -> Path:
    return zip_folder(class_folders(folder / "clips", classes), folder / "good.zip")


def one_clip_classes(folder: Path) -> Path:
    return good_zip(folder, {"alone": 1, "lonely": 1})


def empty_zip(folder: Path) -> Path:
    return zip_entries(folder / "empty.zip", {})


def climbing_zip(folder: Path) -> Path:
    return zip_entries(folder / "climb.zip", {"../evil.mp4": b"x" * 100, "a/b.mp4": b"y"})


def not_videos(folder: Path) -> Path:
    return zip_entries(folder / "words.zip", {"a/one.mp4": b"these are words", "b/two.mp4": b"and more words"})


BAD: list[tuple[Callable[[Path], Path], str]] = [
    (empty_zip, r"empty|nothing|no files"),
    (climbing_zip, r"\.\.|outside|leads out|path"),
    (lambda folder: bomb(folder / "bomb.zip"), r"unpack|too large|times|bomb"),
    (one_clip_classes, r"no class has 2 usable clips.*lonely"),
    (not_videos, r"None of the files"),
]


@pytest.mark.parametrize(("make", "says"), BAD, ids=["empty", "climbing", "bomb", "one clip", "not videos"])
def test_bad_input_gets_its_sentence(
    page: Page, signed_in: Person, tmp_path: Path, make: Callable[[Path], Path], says: str
) -> None:
    add(page, make(tmp_path), "bad")
    alert = page.get_by_role("alert").filter(has_text="cannot be used")
    expect(alert).to_be_visible(timeout=60_000)
    expect(alert).to_contain_text(re.compile(says, re.IGNORECASE))
    assert "Traceback" not in alert.inner_text()
    alert.get_by_role("link", name="Add files").click()
    expect(page.get_by_role("heading", name="Add files to bad")).to_be_visible()


def test_damaged_clips_are_listed_and_the_rest_is_ready(page: Page, signed_in: Person, tmp_path: Path) -> None:
    clips = class_folders(tmp_path / "clips", {"left": 3, "right": 3})
    (clips / "left" / "cut.mp4").write_bytes(truncated(clips / "left" / "left-00.mp4"))
    (clips / "right" / "words.mp4").write_bytes(b"these are words")
    add(page, zip_folder(clips, tmp_path / "some.zip"), "some are bad")
    expect(page.get_by_text("Ready, 2 left out")).to_be_visible(timeout=60_000)
    left_out = page.get_by_role("heading", name="Left out").locator("xpath=ancestor::section")
    expect(left_out.get_by_text("cut.mp4").first).to_be_visible()
    expect(left_out.get_by_text("words.mp4").first).to_be_visible()
    finding = page.locator("[data-finding=damaged]")
    for answer, files in (("Keep them", 1), ("Delete files", 0)):
        finding.get_by_role("button", name="Delete").click()
        dialog = page.get_by_role("alertdialog", name="Delete these files?")
        dialog.get_by_role("button", name=answer).click()
        expect(dialog).to_have_count(0)
        expect(finding).to_have_count(files)
    expect(left_out).to_have_count(0)
    page.get_by_role("combobox", name="Class").click()
    page.get_by_role("option", name=re.compile("right")).click()
    expect(page.get_by_text("3 of 3")).to_be_visible()
    expect(page).to_have_url(re.compile("class=right"))


def test_what_was_typed_stays_when_something_is_missing(page: Page, signed_in: Person) -> None:
    page.goto("/datasets/new/")
    page.get_by_label("Description").fill("Hands, mostly.")
    page.get_by_role("button", name="Add dataset").click()
    expect(page.get_by_text("Choose some clips first")).to_be_visible()
    expect(page.get_by_text("Give the dataset a name")).to_be_visible()
    expect(page.get_by_label("Description")).to_have_value("Hands, mostly.")


def test_search_edit_and_delete(page: Page, signed_in: Person, api: httpx.Client) -> None:
    for name in ("gestures", "courts"):
        assert api.post("/datasets", json={"name": name, "task": "classification"}).status_code == 201
    page.goto("/datasets/")
    expect(page.get_by_role("link", name="gestures", exact=True)).to_be_visible()
    page.get_by_label("Search datasets by name").fill("gest")
    expect(page.get_by_role("link", name="courts", exact=True)).to_have_count(0)
    expect(page).to_have_url(re.compile("q=gest"))
    page.reload()
    expect(page.get_by_label("Search datasets by name")).to_have_value("gest")

    page.get_by_role("button", name="Actions for gestures").click()
    page.get_by_role("menuitem", name="Edit metadata").click()
    page.get_by_role("dialog").get_by_label("Name").fill("courts")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_text("You already have a dataset named courts")).to_be_visible()
    page.get_by_role("dialog").get_by_label("Name").fill("gestures, new")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="gestures, new", exact=True)).to_be_visible()

    page.get_by_role("button", name="Actions for gestures, new").click()
    page.get_by_role("menuitem", name="Delete").click()
    confirm = page.get_by_role("button", name="Delete dataset")
    expect(confirm).to_be_disabled()
    page.get_by_role("dialog").get_by_role("textbox").fill("gestures, new")
    confirm.click()
    expect(page.get_by_text("No dataset matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.get_by_role("link", name="courts", exact=True)).to_be_visible()
    _two_at_once(page, api)


def _two_at_once(page: Page, api: httpx.Client) -> None:
    """By keyboard: one is chosen among the cards, another in the table, and both go."""
    for name in ("hops", "orbits"):
        assert api.post("/datasets", json={"name": name, "task": "classification"}).status_code == 201
    page.goto("/datasets/")
    bar = page.get_by_role("region", name="Chosen datasets")
    page.get_by_role("checkbox", name="Choose hops").press("Space")
    expect(bar).to_contain_text("1\u00a0dataset selected")
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("checkbox", name="Choose hops")).to_be_checked()
    page.get_by_role("checkbox", name="Choose orbits").press("Space")
    bar.get_by_role("button", name="Delete").press("Enter")
    dialog = page.get_by_role("dialog", name="Delete these datasets?")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    confirm = dialog.get_by_role("button", name="Delete datasets")
    expect(confirm).to_be_disabled()
    dialog.get_by_role("textbox").fill("delete 2 datasets")
    confirm.click()
    expect(page.get_by_text("2\u00a0datasets deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="hops", exact=True)).to_have_count(0)
    expect(bar).to_have_count(0)
    left = {row["name"] for row in api.get("/datasets").json()["items"]}
    assert "courts" in left
    assert not {"hops", "orbits"} & left


def test_cancel_leaves_nothing_half_made(page: Page, signed_in: Person, api: httpx.Client, tmp_path: Path) -> None:
    before = api.get("/datasets").json()["total"]
    big = tmp_path / "big.mp4"
    big.write_bytes(bytes(40 * 2**20))
    page.goto("/datasets/new/")
    page.locator("[data-uploader=files]").set_input_files(str(big))
    # The bytes are held back, so that the upload is still under way when it is called off.
    page.route(
        "**/api/v1/uploads/*", lambda route: route.abort() if route.request.method == "PATCH" else route.continue_()
    )
    page.get_by_role("button", name="Add dataset").click()
    expect(page.get_by_role("progressbar", name="Upload")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text(re.compile(r"0 of 1\sfile, paused"))).to_be_visible()
    with page.expect_request(lambda request: request.method == "PATCH"):
        page.get_by_role("button", name="Resume", exact=True).click()
    for answer in ("Keep uploading", "Cancel upload"):
        page.get_by_role("button", name="Cancel", exact=True).click()
        page.get_by_role("alertdialog", name="Cancel this upload?").get_by_role("button", name=answer).click()
        expect(page.get_by_role("alertdialog")).to_have_count(0)
    page.wait_for_url(re.compile(r"/datasets/?$"))
    assert api.get("/datasets").json()["total"] == before


def drop(page: Page, folder: Path, onto: str = "Drop clips, folders or a zip here") -> None:
    """Lets a folder or file of the disk fall onto what says these words, as a file manager does."""
    page.get_by_text(onto).evaluate("element => element.scrollIntoView({block: 'center'})")  # not under the foot
    box = page.get_by_text(onto).bounding_box()
    assert box
    at = {"x": box["x"] + 9, "y": box["y"] + 9, "data": {"items": [], "files": [str(folder)], "dragOperationsMask": 1}}
    client = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        client.send("Input.dispatchDragEvent", {"type": kind, **at})


def test_an_upload_goes_on_after_a_reload(page: Page, signed_in: Person, api: httpx.Client, tmp_path: Path) -> None:
    """A dropped folder: some of it arrives, the page is reloaded, and the rest follows; nothing is sent twice."""
    folder = class_folders(tmp_path / "moves", {"left": 2, "right": 2})
    (folder / "right" / "nothing.mp4").touch()
    page.goto("/datasets/new/")
    drop(page, folder / "left" / "left-00.mp4", "Folder layout")  # outside the zone: the page stays
    drop(page, folder)
    expect(page.get_by_label("Name")).to_have_value("moves")
    expect(page.get_by_text("This file is empty.")).to_be_visible()
    sent: list[tuple[str, int]] = []

    def pass_two(route: Route) -> None:
        """The first two files arrive, then the line is gone."""
        request = route.request
        if request.method == "PATCH" and len(sent) < 2:
            sent.append((request.url, int(request.headers["upload-offset"])))
            route.continue_()
        elif request.method == "PATCH":
            route.abort()
        else:
            route.continue_()

    page.route("**/api/v1/uploads/*", pass_two)
    page.get_by_role("button", name="Add dataset").click()
    expect(page.get_by_text("2 of 5\u00a0files")).to_be_visible()
    dataset_id = api.get("/datasets").json()["items"][0]["id"]
    begun = until(lambda: _begun(api, dataset_id), what="a third file that has begun")
    body = (folder / begun["filename"].removeprefix("moves/")).read_bytes()
    half = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "Tus-Resumable": "1.0.0"}
    assert api.patch(f"/uploads/{begun['id']}", content=body[:500], headers=half).status_code == 204

    page.reload()
    expect(page.get_by_text("This upload was interrupted")).to_be_visible()
    expect(page.get_by_text("2\u00a0files arrived")).to_be_visible()
    page.get_by_role("button", name="Cancel upload").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Keep uploading").click()
    page.unroute("**/api/v1/uploads/*")
    later: list[tuple[str, int]] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            later.append((request.url, int(request.headers["upload-offset"])))

    page.on("request", note)
    page.locator("[data-uploader=folder]").set_input_files(folder)
    page.get_by_role("button", name="Remove failed files").click()
    page.wait_for_url(re.compile(rf"/datasets/{dataset_id}"), timeout=60_000)
    expect(page.get_by_text("4 of 4")).to_be_visible(timeout=60_000)
    assert not {url for url, _ in sent} & {url for url, _ in later}
    assert [offset for url, offset in later if url.endswith(begun["id"])] == [500]
    assert len(later) == 2


def _begun(api: httpx.Client, dataset_id: str) -> dict[str, str] | None:
    found = api.get("/uploads", params={"dataset_id": dataset_id}).json()["items"]
    return next((upload for upload in found if not upload["complete"]), None)


def test_a_stranger_sees_nothing(page: Page, signed_in: Person) -> None:
    page.goto("/datasets/999999")
    expect(page.get_by_role("heading", name="There is no such dataset")).to_be_visible()
    page.get_by_role("link", name="All datasets").click()
    expect(page.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()


def test_clips_that_no_browser_plays_are_converted_by_one_press(page: Page, signed_in: Person, tmp_path: Path) -> None:
    for number in range(4):
        folder = tmp_path / "clips" / ("left" if number % 2 else "right")
        folder.mkdir(parents=True, exist_ok=True)
        mpeg4(folder / f"{number}.avi", shade=40 * number)
    add(page, zip_folder(tmp_path / "clips", tmp_path / "old.zip"), "old films")
    finding = page.locator("[data-finding=unplayed]")
    expect(finding).to_contain_text("4 clips need copies to play", timeout=60_000)
    finding.get_by_role("button", name="Convert to H.264").click()
    expect(page.get_by_text("Every clip plays in a browser")).to_be_visible(timeout=60_000)
    expect(finding).to_have_count(0)


def test_splits_are_drawn_again_by_share_and_seed(
    page: Page, signed_in: Person, api: httpx.Client, tmp_path: Path
) -> None:
    add(page, good_zip(tmp_path, {"left": 10, "right": 5}), "split me")
    expect(page.get_by_role("button", name="Actions for split me")).to_be_visible(timeout=60_000)
    dataset_id = re.findall(r"\d+", page.url)[-1]

    def validation_count() -> dict[str, set[int]]:
        clips = api.get(f"/datasets/{dataset_id}/clips", params={"limit": 50}).json()["items"]
        return {
            label: {clip["id"] for clip in clips if clip["label"] == label and clip["split"] == "validation"}
            for label in ("left", "right")
        }

    def split(share: str) -> None:
        page.get_by_role("button", name="Actions for split me").click()
        page.get_by_role("menuitem", name="Split into train and validation").click()
        page.get_by_label("Validation share, percent").fill(share)
        page.get_by_label("Seed").fill("7")
        page.get_by_role("button", name="Split", exact=True).click()

    split("80")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Hold out between 5 and 50 percent.")).to_be_visible()
    expect(page.get_by_label("Validation share, percent")).to_have_value("80")
    page.get_by_label("Validation share, percent").fill("20")
    page.keyboard.press("Enter")
    expect(
        page.get_by_text(f"{formatting.percent(0.2)} of each class held out for validation, seed 7. This is version 2.")
    ).to_be_visible()
    expect(dialog).to_have_count(0)
    fewer = validation_count()
    assert [len(fewer[label]) for label in ("left", "right")] == [2, 1]
    split("20")
    expect(page.get_by_text("The clips have these splits already.")).to_be_visible()
    split("40")
    expect(page.get_by_text("This is version 3.")).to_be_visible()
    more = validation_count()
    assert [len(more[label]) for label in ("left", "right")] == [4, 2]
    assert all(fewer[label] <= more[label] for label in fewer), "a larger share holds out those of a smaller one, too"
