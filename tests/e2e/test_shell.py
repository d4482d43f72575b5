"""The frame around every page: account menu, the phone's drawer and the palette, by pointer, finger and keyboard."""

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Person
from tests.e2e.test_wizard import wait_for_demo


def open_overview(page: Page) -> None:
    """The page can be seen before its script runs; its button names the keys once they are heard."""
    page.goto("/overview")
    expect(page.locator("#palette-open[aria-keyshortcuts]")).to_be_visible()


@pytest.mark.parametrize("key", ["Enter", "Space", "ArrowDown"])
def test_the_menu_opens_by_key_and_gives_the_focus_back(page: Page, signed_in: Person, key: str) -> None:
    open_overview(page)
    button = page.get_by_role("button", name="Account")
    for _ in range(2):  # the first press fetches the menu's code
        button.focus()
        page.keyboard.press(key)
        expect(page.get_by_role("menu")).to_be_visible()
        expect(page.locator("[role=menu] :focus, [role=menu]:focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.get_by_role("menu")).to_have_count(0)
        expect(button).to_be_focused()


def test_the_menu_opens_and_closes_by_pointer(page: Page, signed_in: Person) -> None:
    open_overview(page)
    button = page.get_by_role("button", name="Account")
    for _ in range(2):
        button.click()
        expect(page.get_by_role("menu")).to_be_visible()
        expect(button).to_have_attribute("aria-expanded", "true")
        page.mouse.click(300, 700)
        expect(page.get_by_role("menu")).to_have_count(0)


def test_the_drawer_of_a_phone_leads_on_and_gives_the_focus_back(page: Page, signed_in: Person) -> None:
    page.set_viewport_size({"width": 375, "height": 700})
    open_overview(page)
    button = page.get_by_role("button", name="Open menu")
    button.click()
    drawer = page.get_by_role("dialog", name="Menu")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    drawer.get_by_role("link", name="Datasets").click()
    expect(page.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    expect(drawer).to_have_count(0)


def test_the_palette_finds_and_leads_on_by_key_alone(page: Page, signed_in: Person, api: httpx.Client) -> None:
    wait_for_demo(api)
    open_overview(page)
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Search or jump to")
    expect(palette.get_by_role("option", name="Launch a training job")).to_be_visible()
    page.keyboard.type("shapes in mo")
    found = palette.get_by_role("option", name="Shapes in motion")
    expect(found).to_be_visible()
    expect(palette.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Shapes in motion")).to_be_visible()
    expect(palette).to_have_count(0)
    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing anywhere")
    expect(palette.get_by_text('No results for "no such thing anywhere".')).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)


def test_the_keys_are_listed_and_lead_to_pages(page: Page, signed_in: Person) -> None:
    page.goto("/overview")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main#content")).to_be_focused()
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(listed.get_by_text("Search or jump to")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("j")  # not while a dialog is open
    page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    page.wait_for_url("**/overview**")
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.wait_for_url("**/jobs**")
    page.get_by_placeholder("Name, dataset, id").or_(
        page.get_by_role("heading", name="No training jobs yet")
    ).wait_for()


def test_a_part_that_does_not_come_is_fetched_again(page: Page, signed_in: Person) -> None:
    """As when the web server restarts between the page and the press."""
    code = "**/palette_panel*"
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    palette = page.get_by_role("dialog", name="Search or jump to")
    open_overview(page)
    page.route(code, refuse)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("alert")).to_contain_text("This part could not be loaded")
    assert len(asked) > 1, "it is tried more than once before anything is said"
    page.unroute(code)
    page.locator("#palette-open").click()
    expect(palette).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_part_comes_by_itself_once_the_web_is_back(page: Page, signed_in: Person) -> None:
    code = "**/palette_panel*"
    open_overview(page)
    page.route(code, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.keyboard.press("Control+k")
    page.unroute(code)
    expect(page.get_by_role("dialog", name="Search or jump to")).to_be_visible()
