"""Where the page stands: its parents as links, itself as a word."""

import reflex as rx

from orchestrator.ui.kit import Text
from orchestrator.ui.primitives.link import link

Crumb = tuple[Text, Text | None]


def breadcrumb(crumbs: list[Crumb]) -> rx.Component:
    """`(label, href)` pairs, the last one without an address; a phone shows only the last."""
    items: list[rx.Component] = []
    for place, (label, href) in enumerate(crumbs):
        if place:
            items.append(rx.el.li("/", aria_hidden=True, class_name="text-muted-foreground max-md:hidden"))
        if href is None:
            here = rx.el.span(label, aria_current="page", class_name="font-medium text-foreground")
            items.append(rx.el.li(here, class_name="min-w-0 truncate"))
        else:
            parent = link(
                label, href=href, muted=False, class_name="text-muted-foreground no-underline hover:text-foreground"
            )
            items.append(rx.el.li(parent, class_name="shrink-0 max-md:hidden"))
    return rx.el.nav(
        rx.el.ol(*items, class_name="flex min-w-0 items-center gap-2 text-sm"),
        aria_label="Breadcrumb",
        class_name="min-w-0",
    )
