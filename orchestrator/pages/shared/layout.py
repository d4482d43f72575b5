"""The layouts that several pages share."""

import reflex as rx

from orchestrator.ui.kit import Text
from orchestrator.ui.patterns.return_link import return_bar
from orchestrator.ui.primitives.link import link

CARD_GRID = "grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-4"


def main_and_side(main: list[rx.Component], side: list[rx.Component]) -> rx.Component:
    """A wide column and a narrow one to its right; one column on a phone."""
    column = "flex min-w-0 flex-col gap-4"
    return rx.el.div(
        rx.el.div(*main, class_name=column),
        rx.el.div(*side, class_name=column),
        class_name="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]",
    )


def back_to_draft() -> rx.Component:
    """The way back to the job that was being set up, on the pages of what was missing for it."""
    return return_bar("Back to the job that you were setting up")


def card_head(name: Text, href: Text, menu: rx.Component) -> rx.Component:
    """The head of a card in a list: its name, whose link covers the whole card, and its menu."""
    title = link(
        name, href=href, muted=False, class_name="no-underline before:absolute before:inset-0 before:rounded-xl"
    )
    return rx.el.div(
        rx.el.h2(title, class_name="min-w-0 truncate text-sm font-semibold"),
        rx.el.div(menu, class_name="relative -my-1 -mr-2 shrink-0"),
        class_name="flex items-center justify-between gap-2",
    )
