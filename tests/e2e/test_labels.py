"""Typing a clip's label in a real browser: the classes there are, are offered; a new one is taken and called new."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Person
from tests.e2e.test_datasets import add, good_zip


def chosen(field: Locator) -> Locator:
    """The option that the keyboard stands on, as a screen reader is told."""
    return field.page.locator(f"[id='{field.get_attribute('aria-activedescendant')}']")


def offered(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.get_by_role("listbox").get_by_role("option").all_inner_texts()]


def test_labels_are_offered_while_typing(page: Page, signed_in: Person, tmp_path: Path) -> None:
    add(page, good_zip(tmp_path, {"left": 4, "right": 4, "upright": 3}), "gestures")
    expect(page.get_by_text("11 of 11")).to_be_visible(timeout=60_000)
    _in_its_tile(page)
    _in_its_dialog(page)
    _for_many(page)


def _in_its_tile(page: Page) -> None:
    """By the keyboard alone."""
    words, field = page.get_by_role("button", name="Edit left/left-00.mp4"), page.get_by_label("Label of left/left-00")
    words.press("Enter")
    expect(field).to_be_focused()
    expect(field).to_have_role("combobox")
    expect(page.get_by_role("listbox")).to_have_count(0)
    field.press("ArrowDown")
    assert offered(page) == ["left 4", "right 4", "upright 3"], "all of them, whatever stands in the field"
    expect(chosen(field)).to_have_text(re.compile("left"))
    field.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(field).to_be_focused()
    field.fill("RIGHT")
    assert offered(page) == ["right 4", "upright 3"], "those that begin with it come first"
    expect(page.get_by_text("New class. Did you mean “right”?")).to_be_visible()
    field.press("ArrowUp")
    expect(chosen(field)).to_have_text(re.compile("upright"))
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("right")
    expect(page.get_by_text("New class")).to_have_count(0)
    expect(page.get_by_role("listbox")).to_have_count(0)
    field.press("Enter")
    expect(words).to_be_focused()
    expect(words).to_have_accessible_name("Edit left/left-00.mp4: right")


def _in_its_dialog(page: Page) -> None:
    """Escape closes the list first, then the dialog; Enter on an option does not send the form."""
    page.get_by_role("button", name="Open left/left-01.mp4").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("Label", exact=True)
    expect(field).to_have_value("left")
    dialog.get_by_role("button", name="Show classes").click()
    expect(dialog.get_by_role("listbox")).to_be_visible()
    expect(field).to_be_focused()
    field.press("Escape")
    expect(dialog.get_by_role("listbox")).to_have_count(0)
    field.fill("downwards")
    expect(dialog.get_by_text("New class", exact=True)).to_be_visible()
    field.fill("up")
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("upright")
    page.mouse.click(4, 4)  # outside the dialog: what was typed is not discarded
    expect(dialog).to_be_visible()
    field.press("Escape")
    expect(dialog).to_have_count(0)


def _for_many(page: Page) -> None:
    """By the pointer; then one that there is not yet."""
    page.get_by_role("checkbox", name="Choose left/left-02.mp4").click()
    bar, field = page.get_by_role("region", name="Chosen clips"), page.get_by_label("New label", exact=True)
    field.fill("r")
    bar.get_by_role("option", name="upright").click()
    expect(field).to_have_value("upright")
    bar.get_by_role("button", name="Set label").click()
    expect(page.get_by_text("1 clip: label upright").first).to_be_visible()
    for number in (1, 2):
        page.get_by_role("checkbox", name=f"Choose right/right-0{number}.mp4").click()
    field.fill("away")
    expect(bar.get_by_text("New class", exact=True)).to_be_visible()
    field.press("Enter")
    expect(page.get_by_text("2 clips: label away").first).to_be_visible()
    _a_long_one(page, bar, field)
    page.get_by_role("button", name="Edit right/right-03.mp4").click()
    page.get_by_label("Label of right/right-03.mp4").fill("aw")
    expect(page.get_by_role("option", name="away")).to_be_visible()


def _a_long_one(page: Page, bar: Locator, field: Locator) -> None:
    """It makes the page no wider; chosen clips that are not shown are counted; words can be read."""
    page.emulate_media(color_scheme="dark")
    page.get_by_role("checkbox", name="Choose right/right-03.mp4").click()
    field.fill("w" * 200)
    field.press("Enter")
    toast = page.locator("[data-sonner-toast]").filter(has_text="1 clip: label www")
    expect(toast).not_to_have_css("background-color", "rgb(255, 255, 255)")
    page.get_by_role("checkbox", name="Choose left/left-03.mp4").click()
    for name in ("www", "All classes"):
        page.get_by_role("combobox", name="Class").click()
        page.get_by_role("option", name=name).click()
        if name == "www":
            expect(bar).to_contain_text(re.compile(r"1\sclip chosen, 1 not shown"))
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    bar.get_by_role("button", name="Clear").click()
