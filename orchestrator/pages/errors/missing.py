"""The page of an address that leads nowhere."""

import reflex as rx

from orchestrator.ui.layout.logo import logo
from orchestrator.ui.primitives.button import button
from orchestrator.ui.primitives.link import link


def missing() -> rx.Component:
    """Says so, and leads home."""
    return rx.el.div(
        rx.el.header(
            link(logo(), href="/", muted=False, aria_label="Loreel, start page", class_name="no-underline"),
            class_name="px-10 py-6 touch:px-4",
        ),
        rx.el.main(
            rx.el.p("404", class_name="font-mono text-sm text-muted-foreground"),
            rx.el.h1(
                "There is no such page", class_name="mt-2 text-3xl font-semibold tracking-[-0.025em] touch:text-2xl"
            ),
            rx.el.p(
                "The address may be mistyped, or what stood here was deleted.",
                class_name="mt-3 max-w-sm text-sm text-muted-foreground",
            ),
            rx.el.div(
                button("Go to the overview", icon="layout-dashboard", variant="primary", href="/overview"),
                button("Start page", href="/"),
                class_name="mt-7 flex flex-wrap justify-center gap-2",
            ),
            id="content",
            class_name="m-auto flex flex-col items-center px-4 pb-32 text-center",
        ),
        class_name="flex min-h-dvh flex-col bg-background",
    )
