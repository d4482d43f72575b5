"""The focus goes to the first error of a form, but is never taken from a person who types already."""

import pytest
from playwright.sync_api import Page, expect

from orchestrator.states.shared.focus import focus_first_problem

FORM = """
<main><label>Name<input aria-invalid="true"></label><label>Folder<input aria-invalid="true"></label>
<label>Note<input></label><button>Add</button></main>
"""
SETTLED_MS = 300


def focus(page: Page) -> None:
    """As Reflex runs it."""
    page.evaluate(f"eval({focus_first_problem().args[0][1]._js_expr})")


@pytest.fixture(autouse=True)
def form(page: Page) -> None:
    page.set_content(FORM)


@pytest.mark.parametrize("before", ["button", "Note"])
def test_the_first_error_is_focused(page: Page, before: str) -> None:
    field = page.get_by_role("button") if before == "button" else page.get_by_label(before)
    field.focus()
    focus(page)
    expect(page.get_by_label("Name")).to_be_focused()


@pytest.mark.parametrize("field", ["Folder", "Note"])
def test_a_person_who_went_on_keeps_the_focus(page: Page, field: str) -> None:
    page.get_by_role("button").focus()
    focus(page)
    page.get_by_label(field).focus()
    page.wait_for_timeout(SETTLED_MS)
    expect(page.get_by_label(field)).to_be_focused()


def test_a_person_in_a_field_with_an_error_stays_there(page: Page) -> None:
    page.get_by_label("Folder").focus()
    focus(page)
    page.wait_for_timeout(SETTLED_MS)
    expect(page.get_by_label("Folder")).to_be_focused()
