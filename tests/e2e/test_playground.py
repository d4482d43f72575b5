"""The playground as a person meets it: drop a clip and read the answer, pick another one, look back."""

from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from jobs.video.synthetic import demo_frames, write_mp4
from tests.e2e.conftest import Person
from tests.studio import until


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def test_a_person_tries_a_model(page: Page, api: httpx.Client, signed_in: Person, tmp_path: Path) -> None:
    until(lambda: api.get("/models").json()["total"] >= 3, what="the built-in bases")
    until(lambda: _ready(api) >= 1, 90, "the demo", pause_s=0.5)
    page.goto("/overview/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Playground").click()
    expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    choose(page, "Base model", "Tiny captioner")
    film = write_mp4(tmp_path / "mine.mp4", demo_frames("zooming", 3))
    page.get_by_label("A clip of your own").set_input_files(str(film))
    said = page.locator("[data-speaker=base] blockquote")
    expect(said).to_contain_text("a ", timeout=60_000)
    expect(page.get_by_text("loading the model")).to_be_visible()
    expect(page.get_by_label("mine.mp4")).to_be_visible()
    page.get_by_role("button", name="Copy as").click()
    expect(page.get_by_role("menuitem", name="curl")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Copy link")).to_have_count(0)  # the clip is private and temporary

    choose(page, "Base model", "Tiny VideoMAE")
    expect(page.get_by_role("combobox", name="Clip")).to_contain_text("Shapes in motion")
    page.get_by_role("list", name="Clips of the dataset").get_by_role("button").first.click()
    bars = page.locator("[data-speaker=base]").get_by_role("progressbar")
    expect(bars).to_have_count(5, timeout=60_000)
    page.evaluate("navigator.clipboard.writeText = async (text) => void (window.copied = text)")
    page.get_by_role("button", name="Copy link").click()
    shared = page.evaluate("window.copied")
    with page.context.expect_page() as opened:
        page.evaluate("(address) => window.open(address)", shared)
    expect(opened.value.locator("[data-speaker=base]").get_by_role("progressbar")).to_have_count(5, timeout=60_000)
    opened.value.close()

    (tmp_path / "broken.mp4").write_bytes(b"no film")
    page.get_by_label("A clip of your own").set_input_files(str(tmp_path / "broken.mp4"))
    expect(page.get_by_text("broken.mp4 is not a video we can read")).to_be_visible()

    # The oldest: the other base may have been quick enough to answer about the same clip, too.
    page.get_by_role("button", name="mine.mp4").last.click()
    expect(said).to_contain_text("a ")

    choose(page, "Base model", "Tiny retriever")
    expect(page.get_by_text("frames, 48", exact=False)).to_have_count(0)
    page.get_by_label("What should the clips show?").fill("a red disc moves up")
    page.get_by_label("What should the clips show?").press("Enter")
    found = page.locator("[data-speaker=base]").get_by_role("listitem")
    expect(found.nth(7)).to_be_visible(timeout=60_000)
    scores = [float(text.rpartition("\n")[2]) for text in found.all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


def _ready(api: httpx.Client) -> int:
    return api.get("/datasets", params={"status": "ready"}).json()["total"]
