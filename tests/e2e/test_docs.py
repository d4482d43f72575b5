"""The documentation is reached from the menu, searched, and asks no other host for anything."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Person
from tests.e2e.test_shell import open_overview


def test_the_menu_leads_to_pages_that_stay_on_this_host(page: Page, signed_in: Person) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_overview(page)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Documentation").click()
    expect(page).to_have_url(re.compile(r"/docs/$"))
    expect(page.get_by_role("heading", name="Loreel", level=1)).to_be_visible()
    page.get_by_placeholder("Search").click()
    page.keyboard.type("LOREEL_PORT", delay=20)
    found = page.locator(".md-search-result a[href$='#port']")
    expect(found).to_be_visible()
    found.click()
    expect(page).to_have_url(re.compile(r"/docs/reference/settings/.*#port$"))
    own = page.url.partition("/docs/")[0]
    assert {url for url in asked if not url.startswith((own, "data:", "blob:"))} == set()
